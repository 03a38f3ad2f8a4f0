import Box from '@cloudscape-design/components/box';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useId, type ReactNode } from 'react';

/**
 * Several controls under one label, each with a name of its own. FormField is for a single control: it would give its label to each of
 * those inside it.
 */
export function Group({ label, error, children }: { label: string; error?: string; children: ReactNode }) {
  const id = useId();
  return (
    <div role="group" aria-labelledby={id}>
      <SpaceBetween size="xs">
        <Box variant="awsui-key-label">
          <span id={id}>{label}</span>
        </Box>
        {children}
        {error && (
          <div role="alert">
            <StatusIndicator type="error">{error}</StatusIndicator>
          </div>
        )}
      </SpaceBetween>
    </div>
  );
}
