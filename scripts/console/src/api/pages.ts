export interface Page<T> {
  items: T[];
  next_cursor: string | null;
  total?: number | null; // rows of the whole list; null where they are too many to be counted
}

/** All the pages of a list, for where the whole of it is needed. */
export async function readAll<T>(read: (cursor: string | undefined) => Promise<{ items: T[]; next_cursor: string | null }>): Promise<T[]> {
  const out: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    out.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor);
  return out;
}
