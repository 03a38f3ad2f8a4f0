import type { SideNavigationProps } from '@cloudscape-design/components/side-navigation';

import type { Me } from '../session';

/** The customer's pages: for each customer whose member one is. */
export function customerNavigation(me: Me): SideNavigationProps.Item[] {
  return me.customers.map(({ customer }) => ({
    type: 'section' as const,
    text: `${customer.name}: settings`,
    items: [
      { type: 'link' as const, text: 'Partners', href: `/customers/${customer.id}/partners` },
      { type: 'link' as const, text: 'Invitations', href: `/customers/${customer.id}/invitations` },
      { type: 'link' as const, text: 'History', href: `/customers/${customer.id}/history` },
      { type: 'link' as const, text: 'Mails', href: `/customers/${customer.id}/mail` },
    ],
  }));
}
