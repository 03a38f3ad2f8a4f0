import { lazy } from 'react';
import { Navigate, Route, Routes } from 'react-router';

import { useMe } from '../session';
import { NotFound } from '../shell/NotFound';

// Each page is loaded when somebody opens it: nobody waits for the components of another.
const Customer = lazy(async () => ({ default: (await import('./Customer')).Customer }));
const Customers = lazy(async () => ({ default: (await import('./Customers')).Customers }));
const Partners = lazy(async () => ({ default: (await import('./Partners')).Partners }));
const Tree = lazy(async () => ({ default: (await import('./Tree')).Tree }));
const CreatePartner = lazy(async () => ({ default: (await import('./CreatePartner')).CreatePartner }));
const EditCustomer = lazy(async () => ({ default: (await import('./EditCustomer')).EditCustomer }));
const EditPartner = lazy(async () => ({ default: (await import('./EditPartner')).EditPartner }));
const EstablishRelationship = lazy(async () => ({ default: (await import('./Relate')).EstablishRelationship }));
const ManagingPartner = lazy(async () => ({ default: (await import('./Relate')).ManagingPartner }));
const MemberPanel = lazy(async () => ({ default: (await import('./MemberPanel')).MemberPanel }));
const RegisterCustomer = lazy(async () => ({ default: (await import('./RegisterCustomer')).RegisterCustomer }));
const AddWebhook = lazy(async () => ({ default: (await import('./AddWebhook')).AddWebhook }));
const EditWebhook = lazy(async () => ({ default: (await import('./EditWebhook')).EditWebhook }));
const ReplayWebhook = lazy(async () => ({ default: (await import('./ReplayWebhook')).ReplayWebhook }));
const Webhook = lazy(async () => ({ default: (await import('./Webhook')).Webhook }));
const Webhooks = lazy(async () => ({ default: (await import('./Webhooks')).Webhooks }));

/** The provider's side, below /provider. The pages of one partner's customers and employees are the partner's own, below /partners. */
export function ProviderRoutes() {
  const { me } = useMe(); // the shell has waited for it
  if (!me?.provider) return <NotFound />;
  return (
    <Routes>
      <Route index element={<Navigate to="partners" replace />} />
      <Route path="partners" element={<Partners />}>
        <Route path="new" element={<CreatePartner />} />
        <Route path=":partner" element={<EditPartner />} />
      </Route>
      <Route path="tree" element={<Tree />} />
      <Route path="customers" element={<Customers />}>
        <Route path="new" element={<RegisterCustomer />} />
      </Route>
      <Route path="customers/:customer" element={<Customer />}>
        <Route path="edit" element={<EditCustomer />} />
        <Route path="members/new" element={<MemberPanel />} />
        <Route path="members/:email" element={<MemberPanel />} />
        <Route path="relationships/new" element={<EstablishRelationship />} />
        <Route path="managing-partner" element={<ManagingPartner />} />
      </Route>
      <Route path="webhooks" element={<Webhooks />}>
        <Route path="new" element={<AddWebhook />} />
      </Route>
      <Route path="webhooks/:webhook" element={<Webhook />}>
        <Route path="edit" element={<EditWebhook />} />
        <Route path="replay" element={<ReplayWebhook />} />
      </Route>
      <Route path="*" element={<NotFound />} />
    </Routes>
  );
}
