import { answer, etagOf, useSubmit, type Problem, type Schemas } from '../api';
import { t } from '../language';
import { endReason, instant, instantBoth, statusWords } from '../parts/words';
import { problemWords } from '../parts/problems';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { useChanged, useCustomer } from './queries';

type Grant = Schemas['Grant'];

/** Whether an access is over: nothing of it can be changed, and it can be granted again. */
export const over = (g: Grant): boolean => g.end !== null || g.status === 'expired' || g.status === 'ended';

/** Why nothing of a grant can be changed; undefined where it can. */
export function frozenWords(grant: Grant, admin: boolean): string | undefined {
  const again = (words: string): string => (admin ? t('pages.ended.again', { words }) : words);
  if (grant.end) {
    const ended = { at: instant(grant.end.at), reason: endReason(grant.end.reason) };
    return again(grant.end.by.email ? t('pages.ended.by', { ...ended, who: grant.end.by.email }) : t('pages.ended.on', ended));
  }
  if (grant.status === 'expired') return again(t('pages.ended.on', { at: grant.until ? instant(grant.until) : '', reason: endReason('expired') }));
  if (!admin) return t('pages.ended.only_admin');
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
    if (problem.code === 'version_mismatch') flash.warn(t('pages.grant.changed_meanwhile', { name: grant.partner.name }), t('pages.grant.changed_about'));
    else flash.warn(...problemWords(problem));
    void changed();
  };
  return { edit, refused, flash };
}

const pausedWords = ({ partner: { name } }: Grant, off: boolean): string => (off ? t('pages.grant.suspended', { name }) : t('pages.grant.resumed', { name }));

/** Suspends a partner's access, or resumes it. */
export function usePause() {
  const { edit, refused, flash } = useEdit();
  const set = (grant: Grant, state: 'open' | 'suspended') => edit(grant, { state });
  return useSubmit(async (grant: Grant) => set(grant, grant.state === 'suspended' ? 'open' : 'suspended'), {
    onDone: ({ grant }, was) => {
      const off = grant.state === 'suspended';
      flash.done(
        pausedWords(grant, off),
        off
          ? t('pages.grant.without_access', { count: grant.user_count })
          : grant.status === 'active'
            ? t('pages.grant.with_access', { count: grant.user_count })
            : statusWords(grant),
        async () => {
          await set(grant, was.state === 'suspended' ? 'suspended' : 'open');
          return pausedWords(grant, !off);
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
      flash.done(t('pages.grant.extended', { name: grant.partner.name }), grant.until ? t('words.change.ends', { at: instantBoth(grant.until) }) : undefined, async () => {
        await edit(grant, { until: was.until });
        return was.until
          ? t('pages.grant.ends_again', { name: grant.partner.name, at: instant(was.until) })
          : t('pages.grant.continuous_again', { name: grant.partner.name });
      }),
    onProblem: (problem, { grant }) => refused(problem, grant),
  });
}
