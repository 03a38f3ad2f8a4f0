import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import { Navigate } from 'react-router';

import { Page } from '../parts/Page';
import { useMe, useSession } from '../session';
import { homeOf } from './navigation';

/** / leads to the first page that somebody has. */
export function Home() {
  const { me } = useMe(); // the shell has waited for it
  const { signOut } = useSession();
  const home = me && homeOf(me);
  if (home) return <Navigate to={home} replace />;
  if (me?.removed_partner) {
    return (
      <Page title={`The provider has removed ${me.removed_partner}`} actions={<Button onClick={signOut}>Sign out</Button>}>
        <Alert type="info">
          You are signed in as {me.email}. All access of {me.removed_partner} to customers has ended, and its pages are closed. Ask the provider if this is unexpected.
        </Alert>
      </Page>
    );
  }
  return (
    <Page title="You are not registered" actions={<Button onClick={signOut}>Sign out</Button>}>
      <Alert type="info">
        You are signed in as {me?.email}, and this address is not registered. Ask an admin of your organisation to add you. If you were
        invited by e-mail, open the link in that mail.
      </Alert>
    </Page>
  );
}
