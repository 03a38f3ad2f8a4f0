import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';

import { asProblem, useSubmit, type Answer, type Problem } from '../api';
import { t } from '../language';
import { useKept } from '../shell/useKept';

/** What a thing's fields are, in words, by the name of the field: what two versions of it differ in is told by it. */
export type Lines<T> = (thing: T) => Record<string, string>;

/** "Level: View → Support", for each field that differs. */
export function differences<T>(lines: Lines<T>, was: T, is: T): string[] {
  const before = lines(was);
  return Object.entries(lines(is))
    .filter(([name, now]) => before[name] !== now)
    .map(([name, now]) => t('words.event_line.change', { field: name, was: before[name] || t('words.none'), is: now || t('words.none') }));
}

export interface Editing<T, Body> {
  base: T | undefined; // what is edited: as it was read, or read again after somebody else's change
  readProblem: Problem | undefined;
  retry: () => void;
  send: (body: Body) => void;
  sending: boolean;
  problem: Problem | undefined; // of the last sending; another version is told by `theirs`
  theirs: string[] | undefined; // what somebody else changed meanwhile. Nothing was sent by then
}

/**
 * Edits one thing under the version that the person saw. It is read once, so that nothing changes under the person's hands; a change that meets
 * somebody else's (412) reads it again and says what differs, and the person decides anew.
 */
export function useEditing<T, Body, Output>({
  key,
  read,
  send,
  lines,
  onDone,
}: {
  key: readonly unknown[];
  read: (signal: AbortSignal) => Promise<Answer<T>>;
  send: (body: Body, etag: string) => Promise<Output>;
  lines: Lines<T>;
  onDone: (output: Output, base: T) => void;
}): Editing<T, Body> {
  const [theirs, setTheirs] = useState<string[]>();
  const query = useQuery({
    queryKey: ['edit', ...key],
    queryFn: ({ signal }) => read(signal),
    gcTime: 0,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const seen = query.data;
  const submit = useSubmit((body: Body) => send(body, seen?.etag ?? ''), {
    onDone: (output) => {
      if (seen) onDone(output, seen.data);
    },
    onProblem: (problem) => {
      if (problem.code !== 'version_mismatch' || !seen) return;
      void query.refetch().then(({ data }) => {
        if (!data) return;
        const lost = differences(lines, seen.data, data.data);
        setTheirs(lost.length > 0 ? lost : [t('pages.theirs.hidden')]);
      });
    },
  });
  return {
    base: seen?.data,
    readProblem: query.error && !seen ? asProblem(query.error) : undefined,
    retry: () => void query.refetch(),
    send: submit.send,
    sending: submit.sending,
    problem: submit.problem?.code === 'version_mismatch' ? undefined : submit.problem,
    theirs,
  };
}

export interface Draft<T> {
  now: T | undefined; // the thing with what was entered
  edit: (more: Partial<T>) => void;
  body: Partial<T> | undefined; // what differs from what is there and has to be sent, undefined when nothing does
  form: { done: () => void; guard: ReactNode }; // as useKept gives them
}

/**
 * What a person changes of a thing's fields, kept under a name until it is sent (`form.done`) or left. What is left out of `body` stays as it is, whoever
 * changes it meanwhile.
 */
export function useDraft<T extends object>(name: string, base: T | undefined): Draft<T> {
  const [draft, edit, form] = useKept<Partial<T>>(name, {}, {}, (entered) => changesOf(entered, base) !== undefined);
  return { now: base && { ...base, ...draft }, edit, body: changesOf(draft, base), form };
}

/** What of a draft differs from what is there. Before that is read, all of it does: what was kept is not lost. */
function changesOf<T extends object>(draft: Partial<T>, base: T | undefined): Partial<T> | undefined {
  const changes: Partial<T> = {};
  for (const name of Object.keys(draft) as (keyof T)[]) {
    const value = trimmed(draft[name]);
    if (JSON.stringify(value) !== JSON.stringify(base?.[name])) changes[name] = value;
  }
  return Object.keys(changes).length > 0 ? changes : undefined;
}

const trimmed = <V>(value: V): V => (typeof value === 'string' ? (value.trim() as V) : value);
