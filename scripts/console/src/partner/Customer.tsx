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
      <Page title={problem?.code === 'not_found' ? 'Not found' : 'Customer'}>
        {problem?.code === 'not_found' ? (
          <Alert type="info" header="This is not one of your customers">
            There is no relationship with it, or you have no access to it.{' '}
            <Link href={`/partners/${partner}/customers`} onFollow={follow}>
              Go to your customers
            </Link>
          </Alert>
        ) : problem ? (
          <ProblemAlert problem={problem} what="This customer could not be read" retry={() => void query.refetch()} />
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
          { label: 'Overview', path: '' },
          ...(may.employee || may.provider ? [{ label: 'People', path: 'people' }, { label: 'History', path: 'history' }] : []),
          ...(may.lead || may.provider ? [{ label: 'Mails', path: 'mails' }] : []),
        ]}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            {may.lead && !c.managed && !over && <Button onClick={() => setLeaving(true)}>Relinquish access</Button>}
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
      <Alert type="warning" header={`${c.customer.name} has no address to sign in at`}>
        You have access. Ask the provider to add the customer&apos;s domain.
      </Alert>
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
  const has = record && (record.sso ? `${name} has it` : `${name} does not have it`);
  return (
    <SpaceBetween size="l">
      {me && !c.sign_in_url && <NoEntry of={c} />}
      <Container>
        <KeyValuePairs
          columns={3}
          items={[
            { label: 'Status', value: <Status of={c.status} reason={c.reason} /> },
            { label: 'Level', value: <LevelText level={c.level} effective={c.effective_level} /> },
            ...(c.your_level ? [{ label: 'Your level', value: c.your_level === 'none' ? 'None' : levelName(c.your_level) }] : []),
            { label: 'What the level includes', value: levelAbout(level) },
            { label: 'From', value: <Instant at={c.from} both /> },
            { label: 'Until', value: c.until ? <Instant at={c.until} both /> : 'Continuous' },
            { label: 'Users are assigned by', value: c.assigned_by === 'partner' ? name : c.customer.name },
            { label: 'Single sign-on', value: [c.require_sso ? 'Required' : 'Not required', has].filter(Boolean).join('; ') },
            ...(c.sign_in_url ? [{ label: 'Sign-in', value: <Entry of={c} /> }] : []),
            ...(c.message ? [{ label: 'Message', value: c.message }] : []),
            { label: 'Domain', value: c.customer.domain ?? '–' },
            { label: 'Id', value: c.customer.id },
          ]}
        />
      </Container>
    </SpaceBetween>
  );
}
