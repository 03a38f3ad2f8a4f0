import { answer, useSubmit, type Schemas } from '../api';
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
        flash.done(`A temporary password is on its way to ${user.email}`, 'It works once, within 7 days. Earlier passwords no longer work.');
        close();
        void changed();
      },
      onProblem: (problem) => {
        if (problem.code !== 'not_found') return;
        flash.warn('No accounts are kept here', `Where ${user.name} signs in, passwords are kept elsewhere.`);
        close();
      },
    },
  );
  return (
    <ConfirmModal
      header={`Reset the password of ${user.name}?`}
      action="Reset password"
      confirm={() => reset.send(undefined)}
      close={close}
      sending={reset.sending}
      problem={reset.problem}
    >
      <div>The current password stops working immediately, and {user.name} is signed out.</div>
      <div>A temporary password is sent to {user.email} alone. It has to be replaced when it is first used.</div>
    </ConfirmModal>
  );
}
