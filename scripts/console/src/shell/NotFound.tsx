import Alert from '@cloudscape-design/components/alert';
import Link from '@cloudscape-design/components/link';

import { rich, t } from '../language';
import { Page } from '../parts/Page';
import { useFollow } from './useFollow';

/** A page that does not exist, and one of another organisation: who may not see it learns no more. */
export function NotFound() {
  return (
    <Page title={t('pages.not_found.title')} tabTitle={t('pages.not_found.tab')}>
      <Alert type="info">{rich('pages.not_found.about', { link: <Link href="/" onFollow={useFollow()}>{t('pages.not_found.start')}</Link> })}</Alert>
    </Page>
  );
}
