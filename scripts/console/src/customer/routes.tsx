import { lazy } from 'react';
import { Navigate, Route, Routes, useParams } from 'react-router';

import { useMe } from '../session';
import { NotFound } from '../shell/NotFound';
import { History } from './History';
import { Invitations } from './Invitations';
import { Mails } from './Mails';
import { Overview } from './Overview';
import { Partner, Terms } from './Partner';
import { PartnerPeople } from './PartnerPeople';
import { Partners } from './Partners';
import { People } from './People';
import { Requests } from './Requests';

// The forms are loaded when somebody opens one: they are what is heavy.
const AddPartner = lazy(async () => ({ default: (await import('./AddPartner')).AddPartner }));
const DecideRequest = lazy(async () => ({ default: (await import('./DecideRequest')).DecideRequest }));
const RequestPolicy = lazy(async () => ({ default: (await import('./RequestPolicy')).RequestPolicy }));
const EditPartner = lazy(async () => ({ default: (await import('./EditPartner')).EditPartner }));
const Invite = lazy(async () => ({ default: (await import('./Invite')).Invite }));

/** The customer's side, below /customers/:customer. */
export function CustomerRoutes() {
  const { me } = useMe(); // the shell has waited for it
  const { customer } = useParams();
  if (!me?.provider && !me?.customers.some((c) => c.customer.id === customer)) return <NotFound />;
  return (
    <Routes>
      <Route index element={<Navigate to="overview" replace />} />
      <Route path="overview" element={<Overview />} />
      <Route path="partners" element={<Partners />}>
        <Route path="add" element={<AddPartner />} />
      </Route>
      <Route path="partners/:partner" element={<Partner />}>
        <Route element={<Terms />}>
          <Route index element={null} />
          <Route path="edit" element={<EditPartner />} />
        </Route>
        <Route path="people" element={<PartnerPeople />} />
        <Route path="history" element={<PartnerHistory />} />
        <Route path="mails" element={<PartnerMails />} />
        <Route path="*" element={<NotFound />} />
      </Route>
      <Route path="people" element={<People />} />
      <Route path="invitations" element={<Invitations />}>
        <Route path="new" element={<Invite />} />
      </Route>
      <Route path="requests" element={<Requests />}>
        <Route path="policy" element={<RequestPolicy />} />
        <Route path=":request" element={<DecideRequest />} />
      </Route>
      <Route path="history" element={<History />} />
      <Route path="mail" element={<Mails />} />
      <Route path="*" element={<NotFound />} />
    </Routes>
  );
}

function PartnerHistory() {
  return <History only={useParams().partner} />;
}

function PartnerMails() {
  return <Mails only={useParams().partner} />;
}
