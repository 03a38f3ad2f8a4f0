import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

import { answer } from '../api';
import { chooseLanguage, languages } from '../language';
import { useApi, useMe, type Me } from '../session';

/** Only who is registered has preferences, and people of a suspended partner change nothing. */
const mayKeep = (me: Me | undefined): boolean => me !== undefined && (me.customers.length > 0 || me.partner?.status === 'active');

/** The browser's time zone, which the service keeps with the language. */
export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/**
 * Shows the pages in the language that the reader has chosen, in whichever browser that was. Kept tells whether the service keeps what choose
 * is given, with the browser's time zone, and writes the reader's mails so; it does so before the pages change.
 */
export function usePreferences(): { kept: boolean; choose: (language: string) => Promise<void> } {
  const api = useApi();
  const queries = useQueryClient();
  const { me } = useMe();
  const chosen = me?.preferences.language;
  useEffect(() => {
    if (chosen && languages.includes(chosen)) void chooseLanguage(chosen);
  }, [chosen]);
  const kept = mayKeep(me);
  const choose = async (language: string) => {
    if (kept) {
      const { data: preferences } = await answer(api.PUT('/v1/me/preferences', { body: { language, zone: ownZone() } }));
      queries.setQueriesData<Me>({ queryKey: ['me'] }, (old) => old && { ...old, preferences });
    }
    await chooseLanguage(language);
  };
  return { kept, choose };
}
