import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { t } from '../language';
import { LocalDateTime } from '../parts/LocalDateTime';

/** Sets the local stack's clock to an instant. */
export default function ClockSet({ now, set, close }: { now: Date; set: (t: Date) => void; close: () => void }) {
  const [at, setAt] = useState<string | null>(now.toISOString());
  return (
    <Modal
      visible
      header={t('pages.clock.set')}
      onDismiss={close}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={close}>{t('pages.button.cancel')}</Button>
            <Button variant="primary" disabled={!at} onClick={() => at && set(new Date(at))}>{t('pages.clock.apply')}</Button>
          </SpaceBetween>
        </Box>
      }
    >
      <LocalDateTime label={t('pages.clock.now')} value={at} onChange={setAt} />
    </Modal>
  );
}
