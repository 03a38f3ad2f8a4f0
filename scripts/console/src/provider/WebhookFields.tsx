import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { answer } from '../api';
import { t } from '../language';
import { Group } from '../parts/Group';
import { LinesField } from '../parts/LinesField';
import { SearchSelect, type Choice } from '../parts/SearchSelect';
import { useApi } from '../session';
import type { Hook } from './hooks';

/** What events are called before the full stop: their families. */
const families = ['access', 'grant', 'request', 'invitation', 'partner', 'user', 'customer', 'member'] as const;
type Family = (typeof families)[number];

export interface HookValues {
  url: string;
  description: string;
  some: boolean; // chosen events; otherwise all
  families: Family[];
  patterns: string[]; // beside the families
  customer: Choice | null; // null: everybody's events
}

export const noHook: HookValues = { url: '', description: '', some: false, families: [], patterns: [], customer: null };

export const hookPointers = ['/url', '/description', '/types', '/customer'];

const familyWords: Record<Family, () => string> = {
  access: () => t('pages.webhook.family.access'),
  grant: () => t('pages.webhook.family.grant'),
  request: () => t('pages.webhook.family.request'),
  invitation: () => t('pages.webhook.family.invitation'),
  partner: () => t('pages.webhook.family.partner'),
  user: () => t('pages.webhook.family.user'),
  customer: () => t('pages.webhook.family.customer'),
  member: () => t('pages.webhook.family.member'),
};

const all = (family: Family): string => `${family}.*`;

/** A webhook as the form has it. */
export const hookValues = (h: Hook): HookValues => ({
  url: h.url,
  description: h.description ?? '',
  some: h.types.length > 0,
  families: families.filter((f) => h.types.includes(all(f))),
  patterns: h.types.filter((p) => !families.some((f) => all(f) === p)),
  customer: h.customer ? { id: h.customer, name: h.customer } : null,
});

/** The events of the form as the service takes them. */
export const typesOf = (v: HookValues): string[] => (v.some ? [...v.families.map(all), ...v.patterns] : []);

/** What is missing, by field. */
export const missingOf = (v: HookValues) => ({
  url: v.url.trim() ? undefined : t('pages.webhook.url_missing'),
  types: v.some && typesOf(v).length === 0 ? t('pages.webhook.events_missing') : undefined,
});

/** What a webhook is made of; the same to add and to edit. */
export function WebhookFields({
  value: v,
  edit,
  at,
  missing,
  urlAbout,
}: {
  value: HookValues;
  edit: (more: Partial<HookValues>) => void;
  at: (pointer: string) => string | undefined;
  missing?: ReturnType<typeof missingOf>;
  urlAbout: string;
}) {
  const api = useApi();
  return (
    <SpaceBetween size="l">
      <FormField label={t('pages.webhook.url')} description={urlAbout} errorText={missing?.url ?? at('/url')}>
        <Input value={v.url} onChange={(e) => edit({ url: e.detail.value })} type="url" inputMode="url" autoComplete={false} placeholder="https://hooks.cloud.example/partner-access" />
      </FormField>
      <FormField label={t('pages.webhook.description')} description={t('pages.webhook.description_about')} errorText={at('/description')}>
        <Input value={v.description} onChange={(e) => edit({ description: e.detail.value })} autoComplete={false} />
      </FormField>
      <FormField label={t('pages.webhook.events')}>
        <RadioGroup
          value={v.some ? 'some' : 'all'}
          onChange={(e) => edit({ some: e.detail.value === 'some' })}
          items={[
            { value: 'all', label: t('pages.webhook.all_events'), description: t('pages.webhook.all_events_about') },
            { value: 'some', label: t('pages.webhook.some_events') },
          ]}
        />
      </FormField>
      {v.some && (
        <SpaceBetween size="l">
          <Group label={t('pages.webhook.families')} error={missing?.types ?? at('/types')}>
            {families.map((f) => (
              <Checkbox
                key={f}
                checked={v.families.includes(f)}
                onChange={(e) => edit({ families: families.filter((other) => (other === f ? e.detail.checked : v.families.includes(other))) })}
                description={familyWords[f]()}
              >
                {all(f)}
              </Checkbox>
            ))}
          </Group>
          <LinesField
            label={t('pages.webhook.patterns')}
            value={v.patterns}
            onChange={(patterns) => edit({ patterns })}
            description={t('pages.webhook.patterns_about')}
            constraint={t('pages.webhook.patterns_rule')}
          />
        </SpaceBetween>
      )}
      <FormField label={t('words.customer')} description={t('pages.webhook.customer_about')} errorText={at('/customer')}>
        <SearchSelect
          of={t('pages.partner_select.of')}
          any={t('pages.webhook.every_customer')}
          cacheKey={['directory', 'choice', 'customers']}
          value={v.customer ?? undefined}
          onChange={(customer) => edit({ customer: customer ?? null })}
          read={async (q, cursor, signal) => (await answer(api.GET('/v1/customers', { params: { query: { limit: 25, cursor, ...(q ? { q } : {}) } }, signal }))).data}
        />
      </FormField>
    </SpaceBetween>
  );
}
