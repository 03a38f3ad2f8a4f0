import Autosuggest from '@cloudscape-design/components/autosuggest';
import FormField from '@cloudscape-design/components/form-field';
import { useEffect, useState } from 'react';

import { answer, useCursorPages } from '../api';
import { t } from '../language';
import type { PartnerChoice } from '../parts/PartnerSelect';
import { useApi } from '../session';

/** The one box: what has an @ in it is a person's address; for anything else the partners are searched. */
export function PartnerOrPerson({
  text,
  setText,
  choose,
  error,
  leave,
}: {
  text: string;
  setText: (text: string) => void;
  choose: (partner: PartnerChoice) => void;
  error: string | undefined;
  leave: () => void;
}) {
  const api = useApi();
  const [q, setQ] = useState('');
  const name = text.includes('@') ? '' : text.trim();
  useEffect(() => {
    const timer = setTimeout(() => setQ(name), 200);
    return () => clearTimeout(timer);
  }, [name]);
  const pages = useCursorPages(
    ['partners', q],
    async (cursor, signal) => (await answer(api.GET('/v1/partners', { params: { query: { limit: 25, cursor, ...(q ? { q } : {}) } }, signal }))).data,
  );
  const waiting = pages.loading || name !== q;
  const person = text.includes('@');
  return (
    <FormField label={t('pages.add.box')} description={t('pages.add.box_about')} errorText={error}>
      <Autosuggest
        value={text}
        filteringType="manual"
        options={person || waiting ? [] : pages.all.map((p) => ({ value: p.id, label: p.name, description: p.id }))}
        statusType={person ? 'finished' : pages.problem ? 'error' : waiting || pages.fetching ? 'loading' : pages.more ? 'pending' : 'finished'}
        loadingText={t('pages.search.looking')}
        errorText={pages.problem ? t('pages.add.unread') : undefined}
        recoveryText={t('pages.button.try_again')}
        empty={person ? t('pages.add.whole_address') : t('pages.add.none_found')}
        enteredTextLabel={(typed) => (typed.includes('@') ? t('pages.add.the_person', { email: typed }) : t('pages.add.search', { text: typed }))}
        placeholder={t('pages.add.example')}
        onChange={(e) => setText(e.detail.value)}
        onSelect={({ detail: { selectedOption: o, value } }) => {
          const found = pages.all.find((p) => p.id === o?.value);
          if (found) choose(found);
          else setText(value);
        }}
        onLoadItems={({ detail: { firstPage, samePage } }) => {
          if (samePage) pages.retry();
          else if (!firstPage) pages.loadMore();
        }}
        onBlur={leave}
      />
    </FormField>
  );
}
