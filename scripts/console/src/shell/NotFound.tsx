import Alert from '@cloudscape-design/components/alert';
import Link from '@cloudscape-design/components/link';

import { Page } from '../parts/Page';
import { useFollow } from './useFollow';

/** A page that does not exist, and one of another organisation: who may not see it learns no more. */
export function NotFound() {
  return (
    <Page title="Page not found" tabTitle="Not found">
      <Alert type="info">
        There is nothing here, or you have no access to it.{' '}
        <Link href="/" onFollow={useFollow()}>
          Go to the start page
        </Link>
      </Alert>
    </Page>
  );
}
