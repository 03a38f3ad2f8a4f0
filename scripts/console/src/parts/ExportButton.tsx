import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useEffect, useRef, useState } from 'react';

import { asProblem, readExport, type ExportPage, type ExportQuery } from '../api';
import { t } from '../language';
import { useFlash } from '../shell/flash';
import { problemWords } from './problems';
import { zone } from './time';
import { count } from './words';

/** Saves all of a list as a CSV file, page by page. `read` requests one page of the list with its present filter; `name` says what the list is. */
export function ExportButton({ name, read }: { name: string; read: (query: ExportQuery, signal: AbortSignal) => Promise<ExportPage> }) {
  const flash = useFlash();
  const [rows, setRows] = useState<number>(); // read so far; undefined while nothing is being read
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const start = async (): Promise<void> => {
    const stop = new AbortController();
    running.current = stop;
    setRows(0);
    try {
      const file = await readExport(zone(), (query) => read(query, stop.signal), setRows);
      save(file.name, file.text);
      flash.done(t('pages.export.done', { name, count: file.rows }), t('pages.export.file', { file: file.name, zone: zone() }));
    } catch (error) {
      if (stop.signal.aborted) return;
      const problem = asProblem(error);
      const [title, remedy] = problemWords(problem);
      flash.warn(t('pages.export.failed', { name, problem: title }), remedy);
    } finally {
      setRows(undefined);
    }
  };
  if (rows === undefined) {
    return (
      <Button iconName="download" onClick={() => void start()} ariaLabel={t('pages.export.label', { name })}>{t('pages.export.action')}</Button>
    );
  }
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <Button loading loadingText={t('pages.export.read', { count: rows })}>
        {count(rows, 'row')}
      </Button>
      <Button onClick={() => running.current?.abort()}>{t('pages.button.cancel')}</Button>
    </SpaceBetween>
  );
}

/** Saves a text as a file. It begins with a byte order mark, without which spreadsheets do not read UTF-8. */
function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob(['\ufeff', text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
