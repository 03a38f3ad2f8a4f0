import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Outlet, useNavigate, useOutletContext, useParams } from 'react-router';

import { answer, asProblem, type Schemas } from '../api';
import { rich, t } from '../language';
import { Instant } from '../parts/Instant';
import { LevelText } from '../parts/LevelText';
import { Page } from '../parts/Page';
import { ProblemAlert } from '../parts/ProblemAlert';
import { Status } from '../parts/Status';
import { Tabbed } from '../parts/Tabbed';
import { levelAbout, levelName, managedWords, opens } from '../parts/words';
import { useApi, useProduct } from '../session';
import { useFollow } from '../shell/useFollow';
import { Entry, entryLabel, useReasonWords } from './Entry';
import { keyOf, usePartner, usePartnerRecord } from './queries';
import { Relinquish } from './Relinquish';

type Customer = Schemas['PartnerCustomer'];

/** One customer: its setting, the reader's own access with the sign-in link, and the users with access (A18 to A20, W14). */
export function Customer() {
  const api = useApi();
  const navigate = useNavigate();
  const follow = useFollow();
  const { customer = '' } = useParams();
  const { partner, name, may } = usePartner();
  const product = useProduct();
  const [leaving, setLeaving] = useState(false);
  const query = useQuery({
    queryKey: keyOf(partner, 'customer', customer),
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/partners/{partner}/customers/{customer}', { params: { path: { partner, customer } }, signal }))).data,
  });
  const c = query.data;
  if (!c) {
    const problem = query.error ? asProblem(query.error) : undefined;
    return (
      <Page title={problem?.code === 'not_found' ? t('pages.not_found.tab') : t('words.customer')}>
        {problem?.code === 'not_found' ? (
          <Alert type="info" header={t('pages.customer.not_yours')}>{rich('pages.customer.nothing', { link: <Link href={`/partners/${partner}/customers`} onFollow={follow}>
            {t('pages.customer.to_customers')}</Link> })}
          </Alert>
        ) : problem ? (
          <ProblemAlert problem={problem} what={t('pages.customer.unread')} retry={() => void query.refetch()} />
        ) : (
          <Spinner size="large" />
        )}
      </Page>
    );
  }
  const over = c.status === 'ended' || c.status === 'expired';
  return (
    <>
      <Tabbed
        title={c.customer.name}
        description={c.managed ? managedWords(name, c.customer.name, product) : undefined}
        at={`/partners/${partner}/customers/${customer}`}
        tabs={[
          { label: t('pages.nav.overview'), path: '' },
          ...(may.employee || may.provider ? [{ label: t('pages.nav.people'), path: 'people' }, { label: t('pages.history.title'), path: 'history' }] : []),
          ...(may.lead || may.provider ? [{ label: t('pages.mail.list'), path: 'mails' }] : []),
        ]}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            {may.lead && !c.managed && !over && <Button onClick={() => setLeaving(true)}>{t('pages.relinquish.title')}</Button>}
            {c.sign_in_url && (
              <Button variant="primary" href={c.sign_in_url} target="_blank" iconName="external" iconAlign="right" ariaLabel={entryLabel(c)}>
                {opens(c.your_level ?? c.effective_level)}
              </Button>
            )}
          </SpaceBetween>
        }
      >
        <Outlet context={c} />
      </Tabbed>
      {leaving && <Relinquish customer={c} close={() => setLeaving(false)} done={() => void navigate(`/partners/${partner}/customers`)} />}
    </>
  );
}

/** Why there is no sign-in link, and what can be done about it. */
function NoEntry({ of: c }: { of: Customer }) {
  const { why, remedy } = useReasonWords()(c);
  if (c.you_have_access) {
    return (
      <Alert type="warning" header={t('pages.customer.no_address', { customer: c.customer.name })}>{t('pages.customer.ask_domain')}</Alert>
    );
  }
  return (
    <Alert type="info" header={why}>
      {remedy}
    </Alert>
  );
}

/** The access to one customer, and the reader's own. */
export function CustomerOverview() {
  const c = useOutletContext<Customer>();
  const { name, me } = usePartner();
  const record = usePartnerRecord();
  const level = c.you_have_access ? (c.your_level ?? c.effective_level) : c.effective_level;
  const has = record && (record.sso ? t('pages.customer.has_sso', { name }) : t('pages.customer.has_no_sso', { name }));
  return (
    <SpaceBetween size="l">
      {me && !c.sign_in_url && <NoEntry of={c} />}
      <Container>
        <KeyValuePairs
          columns={3}
          items={[
            { label: t('words.field.state'), value: <Status of={c.status} reason={c.reason} /> },
            { label: t('words.field.level'), value: <LevelText level={c.level} effective={c.effective_level} /> },
            ...(c.your_level ? [{ label: t('pages.customer.your_level'), value: c.your_level === 'none' ? t('pages.customer.no_level') : levelName(c.your_level) }] : []),
            { label: t('pages.grant.includes'), value: levelAbout(level) },
            { label: t('pages.history.from'), value: <Instant at={c.from} both /> },
            { label: t('pages.period.until'), value: c.until ? <Instant at={c.until} both /> : t('pages.until.continuous') },
            { label: t('pages.customer.assigned_by'), value: c.assigned_by === 'partner' ? name : c.customer.name },
            { label: t('words.field.sso'), value: [c.require_sso ? t('pages.required') : t('pages.not_required'), has].filter(Boolean).join('; ') },
            ...(c.sign_in_url ? [{ label: t('pages.customer.sign_in'), value: <Entry of={c} /> }] : []),
            ...(c.message ? [{ label: t('words.field.message'), value: c.message }] : []),
            { label: t('words.field.domain'), value: c.customer.domain ?? '–' },
            { label: t('pages.column.id'), value: c.customer.id },
          ]}
        />
      </Container>
    </SpaceBetween>
  );
}
