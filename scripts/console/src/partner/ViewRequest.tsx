import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useNavigate, useParams } from 'react-router';

import { answer, asProblem, useSubmit } from '../api';
import { t } from '../language';
import { ProblemAlert } from '../parts/ProblemAlert';
import { RequestDetails } from '../parts/Request';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { Panel } from '../shell/Panel';
import { keyOf, useChanged, usePartner } from './queries';

/** The panel with one request of the partner, which can be withdrawn until it is decided. */
export function ViewRequest() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const { partner, me } = usePartner();
  const { request = '' } = useParams();
  const close = useCallback(() => void navigate(`/partners/${partner}/requests`), [navigate, partner]);
  const query = useQuery({
    queryKey: keyOf(partner, 'request', request),
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/partners/{partner}/requests/{request}', { params: { path: { partner, request } }, signal }))).data,
  });
  const withdraw = useSubmit(async () => (await answer(api.DELETE('/v1/partners/{partner}/requests/{request}', { params: { path: { partner, request } } }))).data, {
    repeatable: true, // one that has ended stays as it is
    onDone: () => {
      flash.done(t('pages.request.withdrawn'), t('pages.request.withdrawn_about'));
      void changed();
      close();
    },
  });
  const r = query.data;
  return (
    <Panel title={t('pages.request.one')} close={close}>
      {r ? (
        <SpaceBetween size="l">
          <RequestDetails of={r} />
          {withdraw.problem && <ProblemAlert problem={withdraw.problem} />}
          {r.status === 'pending' && me && (
            <Button loading={withdraw.sending} onClick={() => withdraw.send(undefined)}>{t('pages.request.withdraw')}</Button>
          )}
        </SpaceBetween>
      ) : query.error ? (
        <ProblemAlert problem={asProblem(query.error)} retry={() => void query.refetch()} />
      ) : (
        <Spinner />
      )}
    </Panel>
  );
}
