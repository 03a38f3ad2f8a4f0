import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useQuery } from '@tanstack/react-query';
import { Outlet, useNavigate, useOutletContext, useParams } from 'react-router';

import { answer, asProblem, type Schemas } from '../api';
import { number, rich, t } from '../language';
import { PeriodText } from '../parts/Ending';
import { Instant } from '../parts/Instant';
import { LevelText } from '../parts/LevelText';
import { Page } from '../parts/Page';
import { ProblemAlert } from '../parts/ProblemAlert';
import { Status } from '../parts/Status';
import { Tabbed } from '../parts/Tabbed';
import { count, daysOf, levelAbout, managedWords } from '../parts/words';
import { useApi, useProduct } from '../session';
import { PanelOutlet } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { Extend } from './Extend';
import { frozenWords, over } from './grants';
import { GrantMenu } from './GrantMenu';
import { keyOf, useCustomer } from './queries';

type Grant = Schemas['Grant'];

/** One partner: its access, the people who have it, and what happened. Each tab has an address of its own. */
export function Partner() {
  const api = useApi();
  const navigate = useNavigate();
  const follow = useFollow();
  const product = useProduct();
  const { customer, name, admin } = useCustomer();
  const { partner = '' } = useParams();
  const query = useQuery({
    queryKey: keyOf(customer, 'grant', partner),
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/customers/{customer}/grants/{partner}', { params: { path: { customer, partner } }, signal }))).data,
  });
  const g = query.data;
  const list = `/customers/${customer}/partners`;
  const at = `${list}/${partner}`;
  if (!g) {
    const problem = query.error ? asProblem(query.error) : undefined;
    return (
      <Page title={problem?.code === 'not_found' ? t('pages.not_found.tab') : t('words.partner')}>
        {problem?.code === 'not_found' ? (
          <Alert type="info" header={t('pages.grant.not_yours')}>{rich('pages.grant.never', { link: <Link href={list} onFollow={follow}>
            {t('pages.grant.to_partners')}</Link> })}
          </Alert>
        ) : problem ? (
          <ProblemAlert problem={problem} what={t('pages.grant.unread')} retry={() => void query.refetch()} />
        ) : (
          <Spinner size="large" />
        )}
      </Page>
    );
  }
  const changes = admin && !g.managed;
  return (
    <Tabbed
      title={g.partner.name}
      description={g.managed ? managedWords(g.partner.name, name, product) : undefined}
      at={at}
      tabs={[
        { label: t('pages.nav.overview'), path: '' },
        { label: t('pages.nav.people'), path: 'people' },
        { label: t('pages.history.title'), path: 'history' },
        { label: t('pages.mail.list'), path: 'mails' },
      ]}
      actions={
        changes && (
          <SpaceBetween direction="horizontal" size="xs">
            {!over(g) && g.until && <Extend grant={g} />}
            <GrantMenu grant={g} text={t('pages.column.actions')} />
            {over(g) ? null : (
              <Button variant="primary" onClick={() => void navigate(`${at}/edit`)}>{t('pages.button.edit')}</Button>
            )}
          </SpaceBetween>
        )
      }
    >
      <Outlet context={g} />
    </Tabbed>
  );
}

/** The grant of the page that a tab belongs to. */
export const useGrant = (): Grant => useOutletContext<Grant>();

/** The terms of a partner's access. */
export function Terms() {
  const g = useGrant();
  const { admin } = useCustomer();
  const follow = useFollow();
  const why = g.managed ? undefined : frozenWords(g, admin);
  const at = `/customers/${g.customer.id}/partners/${g.partner.id}`;
  return (
    <>
      <SpaceBetween size="l">
        {why && <Alert type="info">{why}</Alert>}
        <Container>
          <KeyValuePairs
            columns={3}
            items={[
              { label: t('words.field.state'), value: <Status of={g.status} reason={g.reason} /> },
              { label: t('words.field.level'), value: <LevelText level={g.level} effective={g.effective_level} /> },
              { label: t('pages.grant.includes'), value: levelAbout(g.effective_level) },
              { label: t('pages.column.since'), value: <Instant at={g.from} both /> },
              { label: t('pages.column.period'), value: <PeriodText of={g} /> },
              { label: t('pages.grant.auto_extend'), value: g.auto_extend ? t('pages.extend.by_days_used', { count: daysOf(g.auto_extend) }) : t('pages.no') },
              {
                label: t('pages.users.title'),
                value: (
                  <Link href={`${at}/people`} onFollow={follow}>
                    {g.everyone ? t('pages.grant.everyone', { count: number(g.user_count) }) : count(g.user_count, 'user')}
                  </Link>
                ),
              },
              { label: t('pages.grant.assigned_by'), value: g.assigned_by === 'partner' ? t('words.actor.partner') : t('pages.you') },
              { label: t('words.field.sso'), value: g.require_sso ? t('pages.required') : t('pages.not_required') },
              ...(g.message ? [{ label: t('pages.grant.message'), value: g.message }] : []),
              ...(g.note ? [{ label: t('words.field.note'), value: g.note }] : []),
            ]}
          />
        </Container>
      </SpaceBetween>
      <PanelOutlet />
    </>
  );
}
