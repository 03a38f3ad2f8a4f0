import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import { lazy, type ReactNode } from 'react';
import { Navigate, Route, Routes, useParams, useSearchParams } from 'react-router';

import { t } from '../language';
import { useMe } from '../session';
import { NotFound } from '../shell/NotFound';

// Each page is loaded when somebody opens it: nobody waits for the components of another.
const AssignedUsers = lazy(async () => ({ default: (await import('./AssignedUsers')).AssignedUsers }));
const Customer = lazy(async () => ({ default: (await import('./Customer')).Customer }));
const CustomerOverview = lazy(async () => ({ default: (await import('./Customer')).CustomerOverview }));
const Customers = lazy(async () => ({ default: (await import('./Customers')).Customers }));
const Employees = lazy(async () => ({ default: (await import('./Employees')).Employees }));
const History = lazy(async () => ({ default: (await import('./History')).History }));
const Invitations = lazy(async () => ({ default: (await import('./Invitations')).Invitations }));
const Mails = lazy(async () => ({ default: (await import('./Mails')).Mails }));
const Requests = lazy(async () => ({ default: (await import('./Requests')).Requests }));
const Ask = lazy(async () => ({ default: (await import('./Ask')).Ask }));
const ViewRequest = lazy(async () => ({ default: (await import('./ViewRequest')).ViewRequest }));
const Account = lazy(async () => ({ default: (await import('./Account')).Account }));
const AddEmployees = lazy(async () => ({ default: (await import('./AddEmployees')).AddEmployees }));
const Authorised = lazy(async () => ({ default: (await import('./Authorised')).Authorised }));
const EditEmployee = lazy(async () => ({ default: (await import('./EditEmployee')).EditEmployee }));
const Invite = lazy(async () => ({ default: (await import('./Invite')).Invite }));
const Password = lazy(async () => ({ default: (await import('./Password')).Password }));

/** The partner's side, below /partners/:partner. */
export function PartnerRoutes() {
  const { me } = useMe(); // the shell has waited for it
  const { partner } = useParams();
  if (!me?.provider && me?.partner?.id !== partner) return <NotFound />;
  return (
    <>
      <Suspended />
      <Routes>
        <Route
          index
          element={
            <FromLink>
              <Navigate to="customers" replace />
            </FromLink>
          }
        />
        <Route
          path="customers"
          element={
            <FromLink>
              <Customers />
            </FromLink>
          }
        >
          <Route path=":customer/users" element={<Authorised />} />
        </Route>
        <Route path="customers/:customer" element={<Customer />}>
          <Route index element={<CustomerOverview />} />
          <Route path="people" element={<AssignedUsers />}>
            <Route path="edit" element={<Authorised />} />
          </Route>
          <Route path="history" element={<CustomerHistory />} />
          <Route path="mails" element={<CustomerMails />} />
          <Route path="*" element={<NotFound />} />
        </Route>
        <Route path="employees/add" element={<AddEmployees />} />
        <Route path="employees" element={<Employees />}>
          <Route path=":user" element={<EditEmployee />} />
        </Route>
        <Route path="invitations" element={<Invitations />}>
          <Route path="new" element={<Invite />} />
        </Route>
        <Route path="requests" element={<Requests />}>
          <Route path="new" element={<Ask />} />
          <Route path=":request" element={<ViewRequest />} />
        </Route>
        <Route path="history" element={<History />} />
        <Route path="mail" element={<Mails />} />
        <Route path="account" element={<Account />} />
        <Route path="password" element={<Password />} />
        <Route path="*" element={<NotFound />} />
      </Routes>
    </>
  );
}

function CustomerHistory() {
  return <History only={useParams().customer} />;
}

function CustomerMails() {
  return <Mails only={useParams().customer} />;
}

/** Where the links of mails and denials lead, which open the portal: to a request, or to asking for one. */
function FromLink({ children }: { children: ReactNode }) {
  const [query] = useSearchParams();
  const { partner = '' } = useParams();
  const at = `/partners/${partner}/requests`;
  const request = query.get('request');
  if (request) return <Navigate replace to={`${at}/${encodeURIComponent(request)}`} />;
  if (query.has('ask')) return <Navigate replace to={{ pathname: `${at}/new`, search: query.toString() }} />;
  return children;
}

/** Says that the provider has suspended the partner: none of its people has access. */
function Suspended() {
  const { me } = useMe();
  const { partner } = useParams();
  if (me?.partner?.id !== partner || me?.partner?.status !== 'suspended') return null;
  return (
    <Box margin={{ bottom: 'l' }}>
      <Alert type="warning" header={t('pages.suspended.title')}>{t('pages.suspended.about', { name: me.partner.name })}</Alert>
    </Box>
  );
}
