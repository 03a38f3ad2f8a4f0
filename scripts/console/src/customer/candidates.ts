import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { answer, asProblem, dryRun, type Problem, type Schemas } from '../api';
import type { Level } from '../parts/words';
import { useApi } from '../session';
import { keyOf, useCustomer } from './queries';

type Grant = Schemas['Grant'];

/** A partner's user whom an address has found. */
export interface Found {
  id: string;
  name: string;
  partner: { id: string; name: string };
  email: string;
  level: Level; // what the person has, or would have unless one is chosen
  limited: boolean; // the customer allows this person a level at most
  already: boolean; // has access
}

/**
 * Finds the partner's user who has an address, by a dry run of the grant: it says no more than the grant would. It asks when nobody has typed for a
 * moment and the address looks whole; `look` asks at once. A refusal is told when one has left the field or tried to send.
 */
export function useCandidate(email: string, tried: boolean): { found: Found | undefined; looking: boolean; problem: Problem | undefined; unknown: boolean; look: () => void } {
  const api = useApi();
  const { customer } = useCustomer();
  const [asked, setAsked] = useState('');
  const [left, setLeft] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => {
      if (/^\S+@\S+\.\S+$/.test(email)) setAsked(email);
    }, 500);
    return () => clearTimeout(timer);
  }, [email]);
  const query = useQuery({
    queryKey: keyOf(customer, 'candidate', asked),
    enabled: asked !== '' && asked === email,
    retry: false,
    queryFn: async ({ signal }): Promise<Found | undefined> => {
      const path = { customer };
      const [{ answer: would }, { data: its }] = await Promise.all([
        dryRun(api.POST('/v1/customers/{customer}/grants', { params: { path, query: { dry_run: true } }, body: { email: asked }, signal })),
        answer(api.GET('/v1/customers/{customer}', { params: { path }, signal })),
      ]);
      const [one] = would.changes.people;
      if (!one) return undefined;
      return {
        id: one.id,
        name: one.name,
        partner: would.grant.partner,
        email: one.email,
        level: one.effective_level ?? 'none',
        limited: its.caps.some((cap) => cap.email === one.email),
        already: !would.changes.added.includes(one.id),
      };
    },
  });
  const mine = asked === email && email !== '';
  return {
    found: mine ? query.data : undefined,
    looking: mine && query.isFetching,
    problem: mine && query.error && (tried || left === email) ? asProblem(query.error) : undefined,
    unknown: mine && query.error !== null && asProblem(query.error).code === 'unknown_email',
    look: () => {
      setAsked(email);
      setLeft(email);
    },
  };
}

/** The grant of a partner that has access already; undefined where there is none that is open. */
export function useOpenGrant(partner: string | undefined): { grant: Grant | undefined; loading: boolean } {
  const api = useApi();
  const { customer } = useCustomer();
  const query = useQuery({
    queryKey: keyOf(customer, 'open', partner),
    enabled: partner !== undefined,
    queryFn: async ({ signal }) => {
      try {
        return (await answer(api.GET('/v1/customers/{customer}/grants/{partner}', { params: { path: { customer, partner: partner ?? '' } }, signal }))).data;
      } catch (error) {
        if (asProblem(error).code === 'not_found') return null;
        throw error;
      }
    },
  });
  return {
    grant: query.data && !query.data.end && query.data.status !== 'expired' ? query.data : undefined,
    loading: partner !== undefined && query.isPending,
  };
}
