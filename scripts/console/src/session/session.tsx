import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';

import { answer, createApi, type Api, type Problem, type Schemas } from '../api';
import { asProblem } from '../api';
import { t } from '../language';
import type { Settings } from '../settings';
import { forgetForms } from './forms';
import { leaveForLogin, leaveForLogout, refresh, type Tokens } from './hosted';
import { localStack, type LocalStack } from './local';

export type Me = Schemas['Me'];

/** Whom the local stack signs in without a password: a person by e-mail, the provider by scope, or both. */
export interface LocalIdentity {
  email?: string;
  scope?: string;
}

/** The application around pages that are shown in a frame (embedded/): it gives the tokens, and nobody signs in here. */
export interface Around {
  token: () => Promise<string>;
  /** Follows the client's requests. `another` is called where somebody else uses the application than before. */
  attach: (api: Api, another: () => void) => void;
}

interface Session {
  settings: Settings;
  api: Api;
  local: LocalStack | undefined; // only on the local stack
  state: 'starting' | 'in' | 'out';
  round: number; // another one with each sign-in
  ended: boolean; // somebody was signed in, and the token is no longer accepted
  /** Begins with a token that was got otherwise, such as for a password. */
  enter: (tokens: Tokens) => void;
  /** Signs a person of the local stack in. */
  enterAs: (who: LocalIdentity) => Promise<void>;
  /** Leaves for the hosted login, to come back at `next`; `anew` to come back as somebody else. Not for the local stack. */
  toLogin: (next: string, anew?: boolean) => void;
  signOut: () => void;
}

const SessionContext = createContext<Session | null>(null);

// Who was chosen on the local stack, so that loading the page again does not ask again. It is no secret, and no token.
const rememberedKey = 'partner-access.local';

export function SessionProvider({ settings, around, children }: { settings: Settings; around?: Around; children: ReactNode }) {
  const queries = useQueryClient();
  const tokens = useRef<Tokens | undefined>(undefined); // in memory alone
  const [status, setStatus] = useState<{ state: Session['state']; round: number; ended: boolean }>(() => ({
    state: around ? 'in' : settings.local && sessionStorage.getItem(rememberedKey) ? 'starting' : 'out',
    round: 0,
    ended: false,
  }));

  const session = useMemo(() => {
    const leave = (ended: boolean) => {
      tokens.current = undefined;
      sessionStorage.removeItem(rememberedKey);
      queries.clear();
      setStatus((s) => ({ ...s, state: 'out', ended }));
    };
    const enter = (fresh: Tokens) => {
      tokens.current = fresh;
      queries.clear();
      setStatus((s) => ({ state: 'in', round: s.round + 1, ended: false }));
    };
    const local = settings.local ? localStack(settings.api) : undefined;
    const asked = (): Promise<string> | undefined =>
      around?.token().catch((error: unknown) => {
        leave(true);
        throw error;
      });
    const api = createApi({ baseUrl: settings.api, token: () => asked() ?? tokens.current?.bearer, signedOut: () => leave(true) });
    around?.attach(api, () => {
      forgetForms();
      enter({ bearer: '', expiresIn: 0 });
    });
    return {
      settings,
      api,
      local,
      enter: (fresh: Tokens) => {
        sessionStorage.removeItem(rememberedKey);
        enter(fresh);
      },
      enterAs: async (who: LocalIdentity) => {
        if (!local) throw new Error('only the local stack signs people in like this');
        enter({ bearer: await local.token(who), expiresIn: 12 * 3600 });
        sessionStorage.setItem(rememberedKey, JSON.stringify(who));
      },
      toLogin: (next: string, anew = false) => {
        if (settings.login) void leaveForLogin(settings.login, next, anew);
      },
      signOut: () => {
        forgetForms();
        leave(false);
        if (settings.login) leaveForLogout(settings.login);
      },
      leave,
    };
  }, [settings, around, queries]);

  const { enterAs, leave } = session;
  useEffect(() => {
    const remembered = settings.local ? sessionStorage.getItem(rememberedKey) : null;
    if (remembered) enterAs(JSON.parse(remembered) as LocalIdentity).catch(() => leave(false));
  }, [settings, enterAs, leave]);

  // A hosted login's token is renewed a minute before it ends, while the login allows it.
  useEffect(() => {
    const { login } = settings;
    const now = tokens.current;
    if (status.state !== 'in' || !login || !now?.refresh) return undefined;
    let timer = 0;
    const renewIn = (t: Tokens) => {
      timer = window.setTimeout(() => {
        refresh(login, t.refresh ?? '').then(
          (fresh) => {
            tokens.current = fresh;
            renewIn(fresh);
          },
          () => undefined, // the next request is answered 401, and the person signs in again
        );
      }, Math.max(t.expiresIn - 60, 5) * 1000);
    };
    renewIn(now);
    return () => clearTimeout(timer);
  }, [settings, status.state, status.round]);

  const value = useMemo(() => ({ ...session, ...status }), [session, status]);
  return <SessionContext value={value}>{children}</SessionContext>;
}

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('useSession outside of SessionProvider');
  return session;
}

/** The typed client, with the token of who has signed in. */
export const useApi = (): Api => useSession().api;

/** What the provider's product is called; the provider where the stage does not say. */
export const useProduct = (): string => useSession().settings.product ?? t('words.by.provider');

/** What time it is for the service: the local stack's clock can be moved. */
export function useNow(): Date {
  const { local } = useSession();
  const clock = useQuery({ queryKey: ['local', 'clock'], enabled: local !== undefined, queryFn: () => local?.now() ?? new Date(), refetchInterval: 30_000 });
  const [own] = useState(() => new Date());
  return local ? (clock.data ?? own) : own;
}

/** Who has signed in, as the service knows them: which sides of the console there are to be seen. */
export function useMe(): { me: Me | undefined; problem: Problem | undefined; retry: () => void } {
  const { api, state, round } = useSession();
  const query = useQuery({
    queryKey: ['me', round],
    enabled: state === 'in',
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/me', { signal }))).data,
  });
  return { me: query.data, problem: query.error ? asProblem(query.error) : undefined, retry: () => void query.refetch() };
}
