import { lazy } from 'react';
import { Navigate, Route, Routes, useParams } from 'react-router';

import { useMe } from '../session';
import { NotFound } from '../shell/NotFound';

// Each page is loaded when somebody opens it: nobody waits for the components of another.
const History = lazy(async () => ({ default: (await import('./History')).History }));
const Invitations = lazy(async () => ({ default: (await import('./Invitations')).Invitations }));
const Mails = lazy(async () => ({ default: (await import('./Mails')).Mails }));
const Overview = lazy(async () => ({ default: (await import('./Overview')).Overview }));
const Partner = lazy(async () => ({ default: (await import('./Partner')).Partner }));
const Terms = lazy(async () => ({ default: (await import('./Partner')).Terms }));
const PartnerPeople = lazy(async () => ({ default: (await import('./PartnerPeople')).PartnerPeople }));
const Partners = lazy(async () => ({ default: (await import('./Partners')).Partners }));
const People = lazy(async () => ({ default: (await import('./People')).People }));
const AddPartner = lazy(async () => ({ default: (await import('./AddPartner')).AddPartner }));
const DecideRequest = lazy(async () => ({ default: (await import('./DecideRequest')).DecideRequest }));
const Requests = lazy(async () => ({ default: (await import('./Requests')).Requests }));
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
