import Button from '@cloudscape-design/components/button';
import Form from '@cloudscape-design/components/form';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { ReactNode } from 'react';

import type { Problem } from '../api';
import { Panel } from '../shell/Panel';
import { ProblemAlert } from './ProblemAlert';

/** A form in the panel at the side: what it does, a way out, and of a refusal what none of its fields (`shown`, by pointer) shows. */
export function PanelForm({
  title,
  close,
  action,
  submit,
  sending,
  disabledReason,
  problem,
  shown,
  children,
}: {
  title: string;
  close: () => void;
  action: string; // what the button does: "Save"
  submit: () => void;
  sending: boolean;
  disabledReason?: string; // why it cannot be sent as it is
  problem?: Problem;
  shown: readonly string[];
  children: ReactNode;
}) {
  return (
    <Panel title={title} close={close}>
      <form
        noValidate // the service says what is wrong, in the same words everywhere
        aria-label={title}
        onSubmit={(e) => {
          e.preventDefault();
          if (!disabledReason && !sending) submit();
        }}
      >
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button formAction="none" variant="link" onClick={close}>
                Cancel
              </Button>
              <Button variant="primary" loading={sending} disabled={disabledReason !== undefined} disabledReason={disabledReason}>
                {action}
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            {children}
            {problem && <ProblemAlert problem={problem} shown={shown} />}
          </SpaceBetween>
        </Form>
      </form>
    </Panel>
  );
}
