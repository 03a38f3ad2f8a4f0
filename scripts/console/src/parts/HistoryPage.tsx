import Autosuggest from '@cloudscape-design/components/autosuggest';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FormField from '@cloudscape-design/components/form-field';
import Grid from '@cloudscape-design/components/grid';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useCallback, useState } from 'react';

import { useCursorPages, type ExportPage, type ExportQuery, type Page, type Schemas } from '../api';
import { number, t } from '../language';
import { DataTable } from './DataTable';
import { DayInput } from './DayInput';
import { ExportButton } from './ExportButton';
import { Instant } from './Instant';
import { Name } from './Name';
import { SearchField } from './SearchField';
import { SearchSelect, type Choice } from './SearchSelect';
import { instantOf } from './time';
import { useAddress } from './useAddress';
import { Who } from './Who';
import { byWhom, eventLines, eventTitle } from './words';

type Event = Schemas['Event'];
export type EventType = Event['type'];

/** What a history can be narrowed to, as both sides' requests take it; `other` is the partner or the customer. */
export interface HistoryFilter {
  type?: EventType;
  person?: string;
  actor?: string;
  from?: string;
  until?: string;
  other?: string;
}

/** A side's history: where it is read, and how the other side is called there. */
export interface HistorySide {
  cacheKey: readonly unknown[];
  read: (filter: HistoryFilter, cursor: string | undefined, signal: AbortSignal) => Promise<Page<Event>>;
  exported: (filter: HistoryFilter, query: ExportQuery, signal: AbortSignal) => Promise<ExportPage>;
  types: readonly EventType[]; // those to filter by
  otherHeader: string;
  otherNoun: string; // in a sentence: partner
  other: (event: Event) => string | undefined;
  others: (q: string, cursor: string | undefined, signal: AbortSignal) => Promise<Page<Choice>>;
}

const actors = () => (['customer', 'partner', 'provider', 'clock'] as const).map((kind) => ({ value: kind as string, label: t(`words.actor.${kind}`) }));

/** What happened, newest first: what changed from what to what, and by whom. `only` is the one other side that the page is about. */
export function HistoryPage({ side, only }: { side: HistorySide; only?: string }) {
  const address = useAddress();
  const { get, set } = address;
  const days = { from: get('from'), until: get('until') };
  const type = get('type') as EventType | '';
  const other = only ?? get('with');
  const filter: HistoryFilter = {
    ...(type ? { type } : {}),
    ...(get('person') ? { person: get('person') } : {}),
    ...(get('actor') ? { actor: get('actor') } : {}),
    ...(days.from ? { from: instantOf(days.from, '00:00') ?? undefined } : {}),
    ...(days.until ? { until: dayAfter(days.until) } : {}),
    ...(other ? { other } : {}),
  };
  const pages = useCursorPages([...side.cacheKey, filter], (cursor, signal) => side.read(filter, cursor, signal), { at: address.page });
  const more = ['person', 'actor', 'from', 'until', 'with'].filter((name) => get(name)).length;
  const [expanded, setExpanded] = useState(more > 0);
  const [cleared, setCleared] = useState(0); // how often: the fields begin anew
  const options = [{ value: '', label: t('pages.history.everything') }, ...side.types.map((t) => ({ value: t as string, label: eventTitle(t) }))];
  return (
    <DataTable
      title={t('pages.history.title')}
      heading={only ? 'h2' : 'h1'}
      actions={<ExportButton name="History" read={(query, signal) => side.exported(filter, query, signal)} />}
      pages={pages}
      trackBy={(e) => e.id}
      empty={address.filtered ? t('pages.history.none_of_kind') : t('pages.history.none')}
      emptyAction={address.filtered ? <Button onClick={() => (address.clear(), setCleared(cleared + 1))}>{t('pages.history.show_everything')}</Button> : undefined}
      filter={
        <SpaceBetween size="s">
          <Grid gridDefinition={[{ colspan: { default: 12, xs: 4 } }]}>
            <Select
              ariaLabel={t('pages.list.shown')}
              selectedOption={options.find((o) => o.value === type) ?? null}
              options={options}
              onChange={(e) => set('type', e.detail.selectedOption.value)}
            />
          </Grid>
          <ExpandableSection headerText={more > 0 ? t('pages.history.filters_count', { count: number(more) }) : t('pages.history.filters')} expanded={expanded} onChange={(e) => setExpanded(e.detail.expanded)}>
            <More key={cleared} side={side} get={get} set={set} fixed={only !== undefined} />
          </ExpandableSection>
        </SpaceBetween>
      }
      columns={[
        { id: 'time', header: t('pages.column.when'), cell: (e) => <Instant at={e.time} both />, minWidth: 130 },
        {
          id: 'what',
          header: t('pages.column.what'),
          isRowHeader: true,
          minWidth: 160,
          cell: (e) => (
            <>
              {eventTitle(e.type)}
              {eventLines(e).map((line) => (
                <Box key={line} variant="small" display="block" color="text-body-secondary">
                  {line}
                </Box>
              ))}
            </>
          ),
        },
        ...(only ? [] : [{ id: 'other', header: side.otherHeader, cell: (e: Event) => <Name>{side.other(e) ?? ''}</Name>, minWidth: 110 }]),
        { id: 'by', header: t('pages.column.by'), cell: (e) => (e.actor.name ? <Who name={e.actor.name} about={e.actor.email} /> : byWhom(e.actor)), minWidth: 170 },
      ]}
    />
  );
}

/** Until the end of a day, since the service's bounds are half-open. */
function dayAfter(day: string): string | undefined {
  const start = instantOf(day, '00:00');
  if (!start) return undefined;
  const t = new Date(start);
  t.setDate(t.getDate() + 1);
  return t.toISOString();
}

function More({ side, get, set, fixed }: { side: HistorySide; get: (name: string) => string; set: (name: string, value: string | undefined) => void; fixed: boolean }) {
  const setPerson = useCallback((text: string) => set('person', text.trim()), [set]);
  const chosen = get('with');
  const third = { default: 12, xs: 4 } as const;
  return (
    <Grid gridDefinition={[{ colspan: third }, { colspan: third }, { colspan: third }, { colspan: third }, ...(fixed ? [] : [{ colspan: third }])]}>
      <FormField label={t('pages.history.person')}>
        <SearchField value={get('person')} onChange={setPerson} placeholder={t('words.field.email')} label={t('pages.history.person_about')} />
      </FormField>
      <FormField label={t('pages.column.by')}>
        <Actor value={get('actor')} onChange={(actor) => set('actor', actor)} />
      </FormField>
      <DayInput label={t('pages.history.from')} value={get('from') || undefined} onChange={(day) => set('from', day)} />
      <DayInput label={t('pages.history.until')} value={get('until') || undefined} onChange={(day) => set('until', day)} />
      {!fixed && (
        <FormField label={side.otherHeader}>
          <SearchSelect
            of={side.otherNoun}
            any={t('pages.history.all')}
            cacheKey={[...side.cacheKey, 'others']}
            value={chosen ? { id: chosen, name: chosen } : undefined}
            onChange={(o) => set('with', o?.id)}
            read={side.others}
          />
        </FormField>
      )}
    </Grid>
  );
}

/** Who made the change: a side, or a person by address. */
function Actor({ value, onChange }: { value: string; onChange: (actor: string | undefined) => void }) {
  const sides = actors();
  const label = sides.find((a) => a.value === value)?.label ?? value;
  const [text, setText] = useState(label);
  const take = (typed: string) => {
    const actor = typed.trim();
    onChange(sides.find((a) => a.label === actor || a.value === actor)?.value ?? actor);
  };
  return (
    <Autosuggest
      value={text}
      options={sides}
      enteredTextLabel={(typed) => t('pages.history.address', { address: typed })}
      placeholder={t('pages.history.anybody')}
      filteringType="none"
      onChange={(e) => {
        setText(e.detail.value);
        if (e.detail.value === '') onChange(undefined);
      }}
      onSelect={(e) => {
        const chosen = sides.find((a) => a.value === e.detail.value);
        setText(chosen?.label ?? e.detail.value);
        take(e.detail.value);
      }}
      onBlur={() => take(text)}
    />
  );
}
