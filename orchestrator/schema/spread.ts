/** Which of many to look at first, so that any number of them is spread over all; pure. */

/**
 * Indices 0..count-1: the first, then halfway, then the quarters, the eighths (van der Corput), each once.
 * At most `max` of them.
 */
export function spreadOrder(count: number, max = 64): number[] {
  const order = new Set<number>();
  for (let step = 0; order.size < Math.min(count, max) && step < max * 16; step++)
    order.add(Math.floor(halves(step) * count));
  for (let at = 0; order.size < Math.min(count, max); at++) order.add(at);
  return [...order];
}

/** The bits of `step` mirrored at the point: 0, 1/2, 1/4, 3/4, 1/8 … */
function halves(step: number): number {
  let fraction = 0;
  for (let bits = step, unit = 0.5; bits > 0; bits >>= 1, unit /= 2) if (bits & 1) fraction += unit;
  return fraction;
}
