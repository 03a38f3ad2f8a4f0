import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useState } from 'react';

import type { Schemas } from '../api';
import { t } from '../language';

/** Shows what a webhook's receiver verifies with, the one time that it is known. A click beside it does not close it. */
export function WebhookSecret({ of: { webhook: h, secret }, about, close }: { of: Schemas['WebhookSecret']; about: string; close: () => void }) {
  const [copied, setCopied] = useState<boolean>(); // whether it was, once somebody has tried
  const key = h.secret_kind === 'v1a';
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
      setCopied(true);
    } catch {
      setCopied(false);
    }
  };
  return (
    <Modal
      visible
      header={key ? t('pages.webhook.key') : t('pages.webhook.secret')}
      onDismiss={({ detail }) => {
        if (detail.reason !== 'overlay') close();
      }}
      footer={
        <Box float="right">
          <Button variant="primary" formAction="none" onClick={close}>{t('pages.webhook.secret_kept')}</Button>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <div>{key ? t('pages.webhook.key_about') : t('pages.webhook.secret_about')}</div>
        <div className="breaks-words">
          <Box variant="code">{secret}</Box>
        </div>
        <SpaceBetween direction="horizontal" size="xs" alignItems="center">
          <Button iconName="copy" formAction="none" onClick={() => void copy()}>{t('pages.webhook.copy')}</Button>
          <div role="status">
            {copied !== undefined && (
              <StatusIndicator type={copied ? 'success' : 'error'}>{copied ? t('pages.webhook.copied') : t('pages.webhook.not_copied')}</StatusIndicator>
            )}
          </div>
        </SpaceBetween>
        <strong>{t('pages.webhook.secret_once')}</strong>
        <div>{about}</div>
      </SpaceBetween>
    </Modal>
  );
}
