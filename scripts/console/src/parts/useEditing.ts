import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { asProblem, useSubmit, type Answer, type Problem } from '../api';
import { t } from '../language';

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

/**
 * What a person changes of a thing's fields. `body` is what differs from what is there and has to be sent, undefined when nothing does; what is
 * left out stays as it is, whoever changes it meanwhile.
 */
export function useDraft<T extends object>(base: T | undefined): { now: T | undefined; edit: (more: Partial<T>) => void; body: Partial<T> | undefined } {
  const [draft, setDraft] = useState<Partial<T>>({});
  const body: Partial<T> = {};
  if (base) {
    for (const name of Object.keys(draft) as (keyof T)[]) {
      const value = trimmed(draft[name]);
      if (JSON.stringify(value) !== JSON.stringify(base[name])) body[name] = value;
    }
  }
  return {
    now: base && { ...base, ...draft },
    edit: (more) => setDraft((old) => ({ ...old, ...more })),
    body: Object.keys(body).length > 0 ? body : undefined,
  };
}

const trimmed = <V>(value: V): V => (typeof value === 'string' ? (value.trim() as V) : value);
