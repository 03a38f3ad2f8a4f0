import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';

import { t } from '../language';
import { levelAbout, levelName, type Level } from './words';

const order: Level[] = ['none', 'view', 'support', 'manage'];

/** Chooses a level. `none` is offered only where it is chosen already, or asked for. */
export function LevelSelect({
  value,
  onChange,
  error,
  disabled,
  withNone = false,
  label = t('words.field.level'),
  offer,
}: {
  value: Level;
  onChange: (level: Level) => void;
  error?: string;
  disabled?: boolean;
  withNone?: boolean;
  label?: string;
  offer?: Level; // the most that the provider offers the partner, where it is known
}) {
  const options = order
    .filter((l) => l !== 'none' || withNone || value === 'none')
    .map((l) => {
      const beyond = offer !== undefined && order.indexOf(l) > order.indexOf(offer);
      return { value: l, label: levelName(l), description: levelAbout(l), ...(beyond ? { disabled: true, disabledReason: t('pages.level.at_most', { level: levelName(offer) }) } : {}) };
    });
  return (
    <FormField
      label={label}
      description={offer === 'manage' ? undefined : offer === undefined ? t('pages.level.offer') : t('pages.level.at_most', { level: levelName(offer) })}
      errorText={error}
    >
      <Select
        selectedOption={options.find((o) => o.value === value) ?? null}
        options={options}
        onChange={(e) => onChange(e.detail.selectedOption.value as Level)}
        disabled={disabled}
      />
    </FormField>
  );
}

/** What is chosen for one person: a level that is the most the person may do, or that there is no such limit any more. */
export type PersonLevel = Level | 'unlimited';

/**
 * Chooses the most that one person may do in a grant that is open; undefined leaves what the person has, or would have, without a choice:
 * `level`. A person who has a limit already (`limited`) can be freed of it.
 */
export function PersonLevelSelect({
  grant,
  level,
  limited,
  value,
  onChange,
  error,
}: {
  grant: { level: Level; effective_level: Level };
  level: Level;
  limited: boolean;
  value: PersonLevel | undefined;
  onChange: (level: PersonLevel | undefined) => void;
  error?: string;
}) {
  const always = t('pages.level.always');
  const options = [
    { value: '', label: levelName(level), description: limited ? t('pages.level.limited') : always },
    ...order
      .slice(1, order.indexOf(grant.level) + 1)
      .filter((l) => l !== level)
      .map((l) => ({ value: l as string, label: levelName(l), description: levelAbout(l) })),
    ...(limited ? [{ value: 'unlimited', label: t('pages.level.unlimited'), description: always }] : []),
  ];
  return (
    <FormField label={t('pages.level.person')} description={t('pages.level.person_about')} errorText={error}>
      <Select
        selectedOption={options.find((o) => o.value === (value ?? '')) ?? null}
        options={options}
        onChange={(e) => onChange((e.detail.selectedOption.value || undefined) as PersonLevel | undefined)}
      />
    </FormField>
  );
}
