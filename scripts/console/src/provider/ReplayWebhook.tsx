import Box from '@cloudscape-design/components/box';
import { useCallback, useState } from 'react';
import { useNavigate, useParams } from 'react-router';

import { answer, useSubmit } from '../api';
import { t } from '../language';
import { LocalDateTime } from '../parts/LocalDateTime';
import { PanelForm } from '../parts/PanelForm';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { useKept } from '../shell/useKept';
import { useReread } from './hooks';

/** How far a replay has come, with what goes on from there. */
interface Reached {
  from: string;
  count: number;
  after: string | null;
}

/** The panel that has what failed sent again, stretch by stretch. */
export function ReplayWebhook() {
  const api = useApi();
  const flash = useFlash();
  const navigate = useNavigate();
  const { webhook = '' } = useParams();
  const reread = useReread(webhook);
  const close = useCallback(() => void navigate({ pathname: `/provider/webhooks/${webhook}`, search: location.search }), [navigate, webhook]);
  const [{ since }, edit, form] = useKept<{ since: string | null }>(`replay ${webhook}`, { since: null });
  const [tried, setTried] = useState(false);
  const [reached, setReached] = useState<Reached>(); // where a refusal has stopped it
  const replay = useSubmit(
    async (from: string) => {
      const at = reached?.from === from ? { ...reached } : { from, count: 0, after: null };
      do {
        const { data } = await answer(api.POST('/v1/webhooks/{webhook}/replay', { params: { path: { webhook } }, body: { from, all: false, after: at.after } }));
        at.count += data.replayed;
        at.after = data.after;
        setReached({ ...at });
      } while (at.after !== null);
      return at.count;
    },
    {
      repeatable: false,
      onDone: (count) => {
        flash.done(t('pages.webhook.replayed', { count }));
        form.done();
        void reread();
        close();
      },
    },
  );
  return (
    <PanelForm
      title={t('pages.webhook.replay')}
      close={close}
      action={t('pages.button.send_again')}
      submit={() => {
        setTried(true);
        if (since) replay.send(since);
      }}
      sending={replay.sending}
      problem={replay.problem}
      notice={reached && <Box>{t('pages.webhook.replay_reached', { count: reached.count })}</Box>}
      shown={['/from']}
    >
      {form.guard}
      <Box>{t('pages.webhook.replay_about')}</Box>
      <LocalDateTime
        label={t('pages.column.since')}
        value={since}
        onChange={(at) => edit({ since: at })}
        error={(tried && !since ? t('pages.period.incomplete') : undefined) ?? replay.problem?.at('/from')}
      />
    </PanelForm>
  );
}
