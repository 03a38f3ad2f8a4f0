import { answer, useSubmit, type Schemas } from '../api';
import { t } from '../language';
import { ConfirmModal } from '../parts/ConfirmModal';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { useChanged, usePartner } from './queries';

/** Replaces an employee's password by a temporary one, which is mailed to the person alone (P20). Whoever has never signed in gets another temporary one. */
export function ResetPassword({ user, close }: { user: Schemas['User']; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { partner } = usePartner();
  const reset = useSubmit(
    async (_: undefined, key) => {
      await answer(
        api.POST('/v1/partners/{partner}/users/{user}/password', { params: { path: { partner, user: user.id }, header: { 'Idempotency-Key': key } }, body: { reset: true } }),
      );
    },
    {
      repeatable: true,
      onDone: () => {
        flash.done(t('pages.employees.password_sent', { email: user.email }), t('pages.reset.about'));
        close();
        void changed();
      },
      onProblem: (problem) => {
        if (problem.code !== 'not_found') return;
        flash.warn(t('pages.employees.no_accounts'), t('pages.employees.elsewhere', { name: user.name }));
        close();
      },
    },
  );
  return (
    <ConfirmModal
      header={t('pages.reset.ask', { name: user.name })}
      action={t('pages.employees.reset')}
      confirm={() => reset.send(undefined)}
      close={close}
      sending={reset.sending}
      problem={reset.problem}
    >
      <div>{t('pages.reset.stops', { name: user.name })}</div>
      <div>{t('pages.reset.sent', { email: user.email })}</div>
    </ConfirmModal>
  );
}
