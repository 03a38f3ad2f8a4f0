import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';

import { asProblem, sentence } from '../api';
import { t } from '../language';
import { fieldWords, problemWords } from './problems';

/**
 * A problem in the pages' words, below `what` did not come of it. Of what stands at a place of the request, only what no field shows already: `shown` are the
 * pointers that the form's fields show.
 */
export function ProblemAlert({ problem, what, retry, shown = [] }: { problem: unknown; what?: string; retry?: () => void; shown?: readonly string[] }) {
  const p = asProblem(problem);
  const [title, remedy] = problemWords(p);
  const covered = (pointer: string): boolean => shown.some((s) => pointer === s || pointer.startsWith(`${s}/`));
  const rest = new Set(p.errors.filter((e) => !covered(e.pointer) && e.detail !== p.detail).map((e) => fieldWords(p, e)).filter((line) => line !== remedy));
  return (
    <Alert type="error" header={what ?? title} action={retry && <Button onClick={retry}>{t('pages.button.try_again')}</Button>}>
      {what && <div>{sentence(title)}</div>}
      {remedy && <div>{remedy}</div>}
      {[...rest].map((line) => (
        <div key={line}>{line}</div>
      ))}
      {p.requestId && (
        <Box variant="small" color="text-body-secondary">{t('pages.problem.request', { request: p.requestId })}</Box>
      )}
    </Alert>
  );
}
