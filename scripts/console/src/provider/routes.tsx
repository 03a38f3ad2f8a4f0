import { Navigate, Route, Routes } from 'react-router';

import { Page } from '../parts/Page';
import { NotFound } from '../shell/NotFound';

/** The provider's side, below /provider. */
export function ProviderRoutes() {
  return (
    <Routes>
      <Route index element={<Navigate to="partners" replace />} />
      <Route path="partners" element={<Page title="Partners">{null}</Page>} />
      <Route path="*" element={<NotFound />} />
    </Routes>
  );
}
