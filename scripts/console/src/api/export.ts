// Reads a list as one CSV file. The pages of an export, one after the other, are that file; its last line says how many rows it has.
import { problemOf } from './problem';

/** What the request of each page carries beside the list's own filter. */
export interface ExportQuery {
  format: 'csv';
  tz: string;
  cursor: string | undefined;
}

/** A page as openapi-fetch gives it with parseAs: 'text'. */
export interface ExportPage {
  data?: unknown;
  error?: unknown;
  response: Response;
}

export interface ExportFile {
  name: string;
  text: string;
  rows: number;
}

/** Reads all pages. It tells how many rows have been read after each, and throws a Problem when one is refused or the file is not whole. */
export async function readExport(tz: string, read: (query: ExportQuery) => Promise<ExportPage>, progress: (rows: number) => void): Promise<ExportFile> {
  let text = '';
  let lines = 0;
  let name = 'export.csv';
  for (let cursor: string | undefined, more = true; more; ) {
    const { data, error, response } = await read({ format: 'csv', tz, cursor });
    if (!response.ok) throw problemOf(response, error);
    const page = typeof data === 'string' ? data : '';
    text += page;
    lines += countLines(page);
    name = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1] ?? name;
    progress(Math.max(lines - 1, 0));
    cursor = nextCursor(response.headers.get('Link'));
    more = cursor !== undefined;
  }
  const rows = lines - 2; // without the names of the columns and the last line
  if (!text.includes(`\r\n#rows,${rows},`)) throw new Error('the list was cut off');
  return { name, text, rows };
}

/** The records of a part of a CSV file: ends of lines that are not inside of quotes. */
function countLines(text: string): number {
  let lines = 0;
  let quoted = false;
  for (const c of text) {
    if (c === '"') quoted = !quoted;
    else if (c === '\n' && !quoted) lines++;
  }
  return lines;
}

/** The cursor in a Link header with rel="next" (RFC 8288); undefined on the last page. */
function nextCursor(link: string | null): string | undefined {
  const target = /^<([^>]+)>; rel="next"$/.exec(link ?? '')?.[1];
  return target === undefined ? undefined : (new URL(target, 'https://localhost').searchParams.get('cursor') ?? undefined);
}
