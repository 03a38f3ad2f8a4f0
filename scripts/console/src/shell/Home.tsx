import Alert from '@cloudscape-design/components/alert';
import { Navigate } from 'react-router';

import { useMe } from '../session';
import { homeOf } from './navigation';

/** / leads to the first page that somebody has. */
export function Home() {
  const { me } = useMe(); // the shell has waited for it
  const home = me && homeOf(me);
  if (home) return <Navigate to={home} replace />;
  if (me?.removed_partner) {
    return (
      <Alert type="info" header={`The provider has removed ${me.removed_partner}`}>
        You are signed in as {me.email}. All access of {me.removed_partner} to customers has ended, and its pages are closed. Ask the provider if this is unexpected.
      </Alert>
    );
  }
  return (
    <Alert type="info" header="You are not registered">
      You are signed in as {me?.email}, and this address is not registered. Ask an admin of your organisation to add you. If you were
      invited by e-mail, open the link in that mail.
    </Alert>
  );
}
