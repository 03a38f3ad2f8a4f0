import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { ReactNode } from 'react';

import type { Problem } from '../api';
import { t } from '../language';
import { ProblemAlert } from './ProblemAlert';

/** Asks once more before something is removed or ended: its content says who loses what. */
export function ConfirmModal({
  header,
  children,
  action,
  confirm,
  close,
  sending = false,
  disabled = false,
  problem,
}: {
  header: string;
  children: ReactNode;
  action: string; // what the button does: "Remove"
  confirm: () => void;
  close: () => void;
  sending?: boolean;
  disabled?: boolean;
  problem?: Problem;
}) {
  return (
    <Modal
      visible
      header={header}
      onDismiss={close}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={close}>{t('pages.button.cancel')}</Button>
            <Button variant="primary" onClick={confirm} loading={sending} disabled={disabled}>
              {action}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {problem && <ProblemAlert problem={problem} />}
        {children}
      </SpaceBetween>
    </Modal>
  );
}
