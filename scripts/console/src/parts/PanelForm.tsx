import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useId, type ReactNode } from 'react';

import type { Problem } from '../api';
import { t } from '../language';
import { Panel } from '../shell/Panel';
import { ProblemAlert } from './ProblemAlert';

/**
 * A form in the panel at the side: what it does, a way out, and of a refusal what none of its fields (`shown`, by pointer) shows. The buttons, the refusal
 * and the `notice` stand below the form's fields, in sight at whatever length.
 */
export function PanelForm({
  title,
  label = title,
  close,
  action,
  submit,
  sending,
  disabledReason,
  problem,
  notice,
  shown,
  children,
}: {
  title: string;
  label?: string; // of the form, where the title does not say what it does
  close: () => void;
  action: string; // what the button does: "Save"
  submit: () => void;
  sending: boolean;
  disabledReason?: string; // why it cannot be sent as it is
  problem?: Problem;
  notice?: ReactNode; // such as what somebody else changed
  shown: readonly string[];
  children: ReactNode;
}) {
  const form = useId();
  return (
    <Panel
      title={title}
      close={close}
      foot={
        <SpaceBetween size="s">
          {notice}
          {problem && <ProblemAlert problem={problem} shown={shown} />}
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="primary" form={form} formAction="submit" loading={sending} disabled={disabledReason !== undefined} disabledReason={disabledReason}>
              {action}
            </Button>
            <Button formAction="none" variant="link" onClick={close}>{t('pages.button.cancel')}</Button>
          </SpaceBetween>
        </SpaceBetween>
      }
    >
      <form
        id={form}
        noValidate // the service says what is wrong, in the same words everywhere
        aria-label={label}
        onSubmit={(e) => {
          e.preventDefault();
          if (!disabledReason && !sending) submit();
        }}
      >
        <SpaceBetween size="l">{children}</SpaceBetween>
      </form>
    </Panel>
  );
}
