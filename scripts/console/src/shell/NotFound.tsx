import Alert from '@cloudscape-design/components/alert';
import Link from '@cloudscape-design/components/link';

import { useFollow } from './useFollow';

export function NotFound() {
  return (
    <Alert type="info" header="There is no such page">
      <title>Not found · Partner Access</title>
      <Link href="/" onFollow={useFollow()}>
        Go to the first page
      </Link>
    </Alert>
  );
}
