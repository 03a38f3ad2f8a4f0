import { answer, etagOf, useSubmit, type Problem, type Schemas } from '../api';
import { count, endReason, instant, instantBoth, statusWords } from '../parts/words';
import { problemWords } from '../parts/problems';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { useChanged, useCustomer } from './queries';

type Grant = Schemas['Grant'];

/** Whether an access is over: nothing of it can be changed, and it can be granted again. */
export const over = (g: Grant): boolean => g.end !== null || g.status === 'expired' || g.status === 'ended';

/** Why nothing of a grant can be changed; undefined where it can. */
export function frozenWords(grant: Grant, admin: boolean): string | undefined {
  const again = admin ? ' You can grant it again.' : '';
  if (grant.end) {
    const by = grant.end.by.email ? ` (${grant.end.by.email})` : '';
    return `This access ended on ${instant(grant.end.at)}: ${endReason(grant.end.reason)}${by}.${again}`;
  }
  if (grant.status === 'expired') return `This access ended on ${grant.until ? instant(grant.until) : ''}: ${endReason('expired')}.${again}`;
  if (!admin) return 'Only an admin of your organisation can change this.';
  return undefined;
}

/** A change of one grant from outside of its form, under the version that was seen; and the same, to take it back. */
function useEdit() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { customer } = useCustomer();
  const edit = async (grant: Grant, body: Schemas['GrantEdit']) => {
    const { data } = await answer(
      api.PATCH('/v1/customers/{customer}/grants/{partner}', { params: { path: { customer, partner: grant.partner.id }, header: { 'If-Match': etagOf(grant) } }, body }),
    );
    void changed();
    return data;
  };
  const refused = (problem: Problem, grant: Grant): void => {
    if (problem.code === 'version_mismatch') flash.warn(`Someone else changed ${grant.partner.name} meanwhile`, 'The page shows the current state. Check it, then try again.');
    else flash.warn(...problemWords(problem));
    void changed();
  };
  return { edit, refused, flash };
}

/** Suspends a partner's access, or resumes it. */
export function usePause() {
  const { edit, refused, flash } = useEdit();
  const set = (grant: Grant, state: 'open' | 'suspended') => edit(grant, { state });
  return useSubmit(async (grant: Grant) => set(grant, grant.state === 'suspended' ? 'open' : 'suspended'), {
    onDone: ({ grant }, was) => {
      const off = grant.state === 'suspended';
      const users = count(grant.user_count, 'user');
      flash.done(
        `The access of ${grant.partner.name} is ${off ? 'suspended' : 'resumed'}`,
        off ? `${users} without access until you resume it.` : grant.status === 'active' ? `${users} with access again.` : statusWords(grant),
        async () => {
          await set(grant, was.state === 'suspended' ? 'suspended' : 'open');
          return `The access of ${grant.partner.name} is ${off ? 'resumed' : 'suspended'}`;
        },
      );
    },
    onProblem: refused,
  });
}

/** Moves the end of a partner's access so many days later. */
export function useExtend() {
  const { edit, refused, flash } = useEdit();
  return useSubmit(async ({ grant, days }: { grant: Grant; days: number }) => edit(grant, { extend: `P${days}D` }), {
    onDone: ({ grant }, { grant: was }) =>
      flash.done(`The access of ${grant.partner.name} is extended`, grant.until ? `Ends: ${instantBoth(grant.until)}.` : undefined, async () => {
        await edit(grant, { until: was.until });
        return `The access of ${grant.partner.name} ends on ${was.until ? instant(was.until) : 'no day'} again`;
      }),
    onProblem: (problem, { grant }) => refused(problem, grant),
  });
}
