import Alert from '@cloudscape-design/components/alert';
import Link from '@cloudscape-design/components/link';

import { useFollow } from './useFollow';

export function NotFound() {
  return (
    <Alert type="info" header="Page not found">
      <title>Not found · Partner Access</title>
      <Link href="/" onFollow={useFollow()}>
        Go to the start page
      </Link>
    </Alert>
  );
}
