import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';

import { asProblem } from '../api';

/**
 * A problem in its own words, below `what` did not come of it. Of what stands at a place of the request, only what no field shows already: `shown` are the pointers that
 * the form's fields show.
 */
export function ProblemAlert({ problem, what, retry, shown = [] }: { problem: unknown; what?: string; retry?: () => void; shown?: readonly string[] }) {
  const p = asProblem(problem);
  const covered = (pointer: string): boolean => shown.some((s) => pointer === s || pointer.startsWith(`${s}/`));
  const rest = p.errors.filter((e) => !covered(e.pointer) && e.detail !== p.detail);
  return (
    <Alert type="error" header={what ?? p.title} action={retry && <Button onClick={retry}>Try again</Button>}>
      {what && what !== p.title && <div>{sentence(p.title)}</div>}
      {p.detail && p.detail !== p.title && <div>{sentence(p.detail)}</div>}
      {rest.map((e) => (
        <div key={e.pointer + e.detail}>
          {e.pointer && <code>{e.pointer}</code>} {e.detail}
        </div>
      ))}
      {p.requestId && (
        <Box variant="small" color="text-body-secondary">
          Request {p.requestId}
        </Box>
      )}
    </Alert>
  );
}

/** The service's details begin small, as in a log; on a page they are sentences. */
export function sentence(text: string): string {
  const t = /^[a-z]+[ ,]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text; // but no address, and no id
  return /[.!?]$/.test(t) ? t : `${t}.`;
}
