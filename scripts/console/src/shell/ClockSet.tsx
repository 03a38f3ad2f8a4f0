import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { LocalDateTime } from '../parts/LocalDateTime';

/** Sets the local stack's clock to an instant. */
export default function ClockSet({ now, set, close }: { now: Date; set: (t: Date) => void; close: () => void }) {
  const [at, setAt] = useState<string | null>(now.toISOString());
  return (
    <Modal
      visible
      header="Set the clock"
      onDismiss={close}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={close}>
              Cancel
            </Button>
            <Button variant="primary" disabled={!at} onClick={() => at && set(new Date(at))}>
              Set
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <LocalDateTime label="Now is" value={at} onChange={setAt} />
    </Modal>
  );
}
