import { lazy } from 'react';
import { Navigate, Route, Routes } from 'react-router';

import { NotFound } from '../shell/NotFound';
import { History } from './History';
import { Invitations } from './Invitations';
import { Mails } from './Mails';
import { Partners } from './Partners';
import { Requests } from './Requests';

// The forms are loaded when somebody opens one: they are what is heavy.
const AddPartner = lazy(async () => ({ default: (await import('./AddPartner')).AddPartner }));
const DecideRequest = lazy(async () => ({ default: (await import('./DecideRequest')).DecideRequest }));
const RequestPolicy = lazy(async () => ({ default: (await import('./RequestPolicy')).RequestPolicy }));
const EditPartner = lazy(async () => ({ default: (await import('./EditPartner')).EditPartner }));
const Invite = lazy(async () => ({ default: (await import('./Invite')).Invite }));

/** The customer's side, below /customers/:customer. */
export function CustomerRoutes() {
  return (
    <Routes>
      <Route index element={<Navigate to="partners" replace />} />
      <Route path="partners" element={<Partners />}>
        <Route path="add" element={<AddPartner />} />
        <Route path=":partner" element={<EditPartner />} />
      </Route>
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
