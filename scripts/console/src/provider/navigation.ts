import type { SideNavigationProps } from '@cloudscape-design/components/side-navigation';

import { t } from '../language';
import type { Me } from '../session';

/** The provider's pages. */
export function providerNavigation(me: Me): SideNavigationProps.Item[] {
  if (!me.provider) return [];
  return [
    {
      type: 'section',
      text: t('pages.nav.directory'),
      items: [
        { type: 'link', text: t('pages.nav.partners'), href: '/provider/partners' },
        { type: 'link', text: t('pages.tree.title'), href: '/provider/tree' },
        { type: 'link', text: t('pages.nav.customers'), href: '/provider/customers' },
        { type: 'link', text: t('pages.webhook.list'), href: '/provider/webhooks' },
      ],
    },
  ];
}
