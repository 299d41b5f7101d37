/** Orders samples so that the first n of them are spread evenly, for any n; pure. */

/**
 * Returns at most `max` distinct indices below `count` in van der Corput order: the first, the one halfway, those at
 * the quarters, at the eighths, and so on.
 */
export function spreadOrder(count: number, max = 64): number[] {
  const order = new Set<number>();
  for (let step = 0; order.size < Math.min(count, max) && step < max * 16; step++)
    order.add(Math.floor(halves(step) * count));
  for (let at = 0; order.size < Math.min(count, max); at++) order.add(at);
  return [...order];
}

/** Returns the bits of `step` mirrored at the binary point: 0, 1/2, 1/4, 3/4, 1/8 … */
function halves(step: number): number {
  let fraction = 0;
  for (let bits = step, unit = 0.5; bits > 0; bits >>= 1, unit /= 2) if (bits & 1) fraction += unit;
  return fraction;
}
