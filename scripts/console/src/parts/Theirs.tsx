import Alert from '@cloudscape-design/components/alert';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { t } from '../language';

/** Says what somebody else changed while a person was editing the same, and what is still to be saved of the person's own (`mine`). */
export function Theirs({ lines, mine = [] }: { lines: string[] | undefined; mine?: string[] }) {
  if (!lines) return null;
  return (
    <Alert type="warning" header={t('pages.theirs.title')}>
      <SpaceBetween size="xs">
        <div>{t('pages.theirs.what')}</div>
        <ul>
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
        {mine.length > 0 && (
          <>
            <div>{t('pages.theirs.mine')}</div>
            <ul>
              {mine.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          </>
        )}
        <div>{t('pages.theirs.kept')}</div>
      </SpaceBetween>
    </Alert>
  );
}
