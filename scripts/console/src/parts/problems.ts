import { Problem, sentence } from '../api';
import { known, t, type Key } from '../language';
import { local } from './time';

// A problem in the pages' own words, by its code: the service's sentences are for who reads its answers.

/** Codes whose words were chosen where the problem was made: by a page, or by the local stack. */
const own = new Set(['own', 'local']);

/** A problem as the pages say it: what it is, and a sentence about what can be done, '' where there is nothing to say. */
export function problemWords(problem: Problem): [title: string, remedy: string] {
  const { code, title, detail } = problem;
  if (own.has(code)) return [title, detail && detail !== title ? sentence(detail) : ''];
  const [its, remedy] = [`problems.${code}.title`, `problems.${code}.remedy`];
  if (known(its) && known(remedy)) return [t(its as Plain), exactly(problem) ?? t(remedy as Plain)];
  return [t('problems.other.title'), t('problems.other.remedy', { code })]; // more codes may be added
}

/** What can be done, where the problem says more than its code. */
function exactly({ limit, maxDays, offered, retryAfter, code }: Problem): string | undefined {
  if (limit > 0) return t('problems.too_many_users.limit', { limit });
  if (maxDays > 0) return t('problems.period_invalid.max_days', { days: maxDays });
  if (offered) return t('problems.partner_not_eligible.offered', { level: offered });
  if (code === 'too_many_requests' && retryAfter > 60) return t('problems.too_many_requests.wait', { at: local(new Date(Date.now() + retryAfter * 1000)) });
  return undefined;
}

type Plain = Exclude<Extract<Key, `problems.${string}`>, 'problems.other.remedy' | 'problems.too_many_users.limit' | 'problems.period_invalid.max_days' | 'problems.partner_not_eligible.offered' | 'problems.too_many_requests.wait'>;

/** What is wrong at a place of the request: by the problem's code and the field's name, or by one of them. */
export function fieldWords(problem: Problem, { pointer, detail }: { pointer: string; detail: string }): string {
  if (own.has(problem.code)) return sentence(detail);
  const names = pointer.split('/').filter((name) => name !== '' && !/^\d+$/.test(name));
  for (const name of names.reverse()) {
    const key = `problems.${problem.code === 'invalid' ? 'field' : problem.code}.${name}`;
    if (known(key)) return t(key as Plain);
  }
  return problem.code === 'invalid' ? t('problems.field.other') : problemWords(problem)[1];
}

/** Has Problem.at speak in these words. */
export function startProblemWords(): void {
  Problem.words = fieldWords;
}
