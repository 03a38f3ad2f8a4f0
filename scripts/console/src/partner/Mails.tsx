import { answer, useCursorPages, useSubmit, type Schemas } from '../api';
import { ExportButton } from '../parts/ExportButton';
import { MailTable } from '../parts/MailTable';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { keyOf, useChanged, usePartner } from './queries';

/** The mails about the partner. */
export function Mails() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { partner } = usePartner();
  const pages = useCursorPages(
    keyOf(partner, 'mail'),
    async (cursor, signal) => (await answer(api.GET('/v1/partners/{partner}/mail', { params: { path: { partner }, query: { limit: 25, cursor } }, signal }))).data,
  );
  const resend = useSubmit(
    async (mail: Schemas['Mail'], key) =>
      (await answer(api.POST('/v1/partners/{partner}/mail/{mail}/resend', { params: { path: { partner, mail: mail.id }, header: { 'Idempotency-Key': key } } }))).data,
    {
      repeatable: true,
      onDone: (mail) => {
        if (mail.state === 'suppressed' || mail.state === 'dropped') flash.warn(`The mail to ${mail.to} was not sent`, mail.reason);
        else flash.done(`The mail to ${mail.to} was sent again`);
        void changed();
      },
      onProblem: (problem) => flash.warn(problem.title, problem.detail),
    },
  );
  return (
    <MailTable
      pages={pages}
      resend={resend.send}
      sending={resend.sending ? resend.input?.id : undefined}
      download={
        <ExportButton
          name="Mails"
          read={(query, signal) => api.GET('/v1/partners/{partner}/mail', { params: { path: { partner }, query }, parseAs: 'text', signal })}
        />
      }
    />
  );
}
