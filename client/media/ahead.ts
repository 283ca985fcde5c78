// Work of the platform's threads, some pieces ahead of whoever takes the results: while one chunk is hashed or written, the next
// are being encrypted. Knows no work.

/** Each piece at work takes memory twice, before and after. */
const MOST_AT_WORK = 4;

/** What `work` makes of every item, in their order. A failure is thrown in the place of its result: nothing behind it comes out. */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  work: (item: Item, index: number) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const atWork: Promise<Result>[] = [];
  let index = 0;
  for await (const item of items) {
    const result = work(item, index++);
    // It is reported when its turn comes; the platform is not to call it unhandled before, or when nobody waits any more.
    result.catch(() => undefined);
    atWork.push(result);
    if (atWork.length < MOST_AT_WORK) continue;
    const [first] = atWork.splice(0, 1);
    if (first !== undefined) yield await first;
  }
  for (const result of atWork) yield await result;
}
