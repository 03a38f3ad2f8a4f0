import type { SideNavigationProps } from '@cloudscape-design/components/side-navigation';

import type { Me } from '../session';

/** The provider's pages. */
export function providerNavigation(me: Me): SideNavigationProps.Item[] {
  if (!me.provider) return [];
  return [
    {
      type: 'section',
      text: 'Directory',
      items: [
        { type: 'link', text: 'Partners', href: '/provider/partners' },
        { type: 'link', text: 'Partner tree', href: '/provider/tree' },
        { type: 'link', text: 'Customers', href: '/provider/customers' },
      ],
    },
  ];
}
