import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { lazy, Suspense, useState } from 'react';

import { t } from '../language';
import { dayOf, dayShown, notADay } from './day';

const Calendar = lazy(() => import('@cloudscape-design/components/calendar'));

/** A day, typed as the reader writes days or chosen in a calendar. `onChange` gets YYYY-MM-DD, or undefined for what is no day. */
export function DayInput({
  label,
  value,
  onChange,
  error,
}: {
  label: string;
  value: string | undefined;
  onChange: (day: string | undefined) => void;
  error?: string;
}) {
  const [typed, setTyped] = useState<string>(); // while it is being typed
  const [left, setLeft] = useState(false);
  const [choosing, setChoosing] = useState(false);
  const text = typed ?? (value ? dayShown(value) : '');
  const wrong = left && text.trim() !== '' && dayOf(text) === undefined ? notADay() : undefined;
  return (
    <div>
      <FormField
        label={label}
        errorText={wrong ?? error}
        secondaryControl={<Button formAction="none" iconName="calendar" variant="normal" ariaLabel={t('pages.day.choose', { label })} ariaExpanded={choosing} onClick={() => setChoosing(!choosing)} />}
      >
        <Input
          value={text}
          onChange={(e) => {
            setTyped(e.detail.value);
            setLeft(false);
            onChange(dayOf(e.detail.value));
          }}
          onBlur={() => setLeft(true)}
          placeholder={dayShown('2026-12-31')}
          autoComplete={false}
        />
      </FormField>
      {choosing && (
        <Suspense fallback={null}>
          <Calendar
            value={value ?? ''}
            ariaLabel={label}
            onChange={(e) => {
              setTyped(undefined);
              setChoosing(false);
              onChange(e.detail.value);
            }}
          />
        </Suspense>
      )}
    </div>
  );
}
