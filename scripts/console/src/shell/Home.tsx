import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import { Navigate } from 'react-router';

import { t } from '../language';
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
      <Page title={t('pages.home.removed', { partner: me.removed_partner })} actions={<Button onClick={signOut}>{t('pages.button.sign_out')}</Button>}>
        <Alert type="info">{t('pages.home.removed_about', { email: me.email, partner: me.removed_partner })}</Alert>
      </Page>
    );
  }
  return (
    <Page title={t('pages.home.unregistered')} actions={<Button onClick={signOut}>{t('pages.button.sign_out')}</Button>}>
      <Alert type="info">{t('pages.home.unregistered_about', { email: me?.email ?? '' })}</Alert>
    </Page>
  );
}
