import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import { useNavigate } from 'react-router';

import { answer, useCursorPages } from '../api';
import { t } from '../language';
import { DataTable } from '../parts/DataTable';
import { Instant } from '../parts/Instant';
import { Name } from '../parts/Name';
import { useApi } from '../session';
import { PanelOutlet } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { typesText, WebhookStatus } from './hooks';
import { keyOf } from './queries';

/** The addresses that get events as they happen. */
export function Webhooks() {
  const api = useApi();
  const navigate = useNavigate();
  const follow = useFollow();
  const pages = useCursorPages(keyOf('webhooks'), async (_, signal) => {
    const { data } = await answer(api.GET('/v1/webhooks', { signal })); // all of them at once
    return { items: data.items, next_cursor: null };
  });
  return (
    <>
      <DataTable
        title={t('pages.webhook.list')}
        description={t('pages.webhook.about')}
        actions={
          <Button variant="primary" onClick={() => void navigate('/provider/webhooks/new')}>{t('pages.webhook.add')}</Button>
        }
        pages={pages}
        trackBy={(h) => h.id}
        empty={t('pages.webhook.none')}
        columns={[
          {
            id: 'url',
            header: t('pages.webhook.url'),
            isRowHeader: true,
            minWidth: 200,
            cell: (h) => (
              <>
                <Link href={`/provider/webhooks/${h.id}`} onFollow={follow}>
                  <Name>{h.url}</Name>
                </Link>
                {h.description && (
                  <Box variant="small" display="block" color="text-body-secondary">
                    <Name>{h.description}</Name>
                  </Box>
                )}
              </>
            ),
          },
          {
            id: 'types',
            header: t('pages.webhook.events'),
            minWidth: 140,
            cell: (h) => (
              <>
                {typesText(h.types)}
                {h.customer && (
                  <Box variant="small" display="block" color="text-body-secondary">
                    {t('pages.webhook.only', { customer: h.customer })}
                  </Box>
                )}
              </>
            ),
          },
          { id: 'status', header: t('words.field.state'), whole: true, minWidth: 130, cell: (h) => <WebhookStatus of={h} /> },
          { id: 'since', header: t('pages.webhook.added'), whole: true, minWidth: 130, cell: (h) => <Instant at={h.created_at} /> },
        ]}
      />
      <PanelOutlet />
    </>
  );
}
