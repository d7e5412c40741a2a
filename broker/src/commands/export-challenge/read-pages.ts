/** Rows that are read at once. */
export const PAGE = 500;

/**
 * Yields the pages that `read` returns for the last row of the page before, until one is not full. No
 * statement returns all rows: 100,000 submissions with their logs do not fit into memory.
 */
export async function* pagesOf<T>(read: (last: T | undefined) => Promise<T[]>): AsyncGenerator<T[]> {
  let last: T | undefined;
  for (;;) {
    const page = await read(last);
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
    last = page.at(-1);
  }
}

/** Converts each row of each page. */
export async function* mapPages<T, R>(
  pages: AsyncIterable<readonly T[]>,
  convert: (row: T) => R,
): AsyncGenerator<R[]> {
  for await (const page of pages) yield page.map(convert);
}
