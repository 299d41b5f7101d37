/**
 * `map` over a stream with up to `concurrency` calls under way, in the order of the stream; what maps to
 * undefined is left out.
 */
export async function* mapInOrder<In, Out>(
  stream: AsyncIterable<In>,
  concurrency: number,
  map: (item: In) => Promise<Out | undefined>,
): AsyncGenerator<Out, void, undefined> {
  const underWay: Promise<Out | undefined>[] = [];
  for await (const item of stream) {
    const result = map(item);
    result.catch(() => undefined); // thrown when its turn comes, below
    underWay.push(result);
    if (underWay.length < concurrency) continue;
    const first = await underWay.shift();
    if (first !== undefined) yield first;
  }
  for (const result of underWay) {
    const mapped = await result;
    if (mapped !== undefined) yield mapped;
  }
}
