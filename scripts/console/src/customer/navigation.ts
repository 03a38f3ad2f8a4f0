import type { SideNavigationProps } from '@cloudscape-design/components/side-navigation';

import { createElement } from 'react';

import type { Me } from '../session';
import { RequestBadge } from './RequestBadge';

/** The customer's pages. */
export const customerLinks = (customer: string) =>
  [
    ['Overview', 'overview'],
    ['Partners', 'partners'],
    ['People', 'people'],
    ['Requests', 'requests'],
    ['Invitations', 'invitations'],
    ['History', 'history'],
    ['Mails', 'mail'],
  ].map(([text = '', path]) => ({ type: 'link' as const, text, href: `/customers/${customer}/${path}` }));

/** The customer's pages: for each customer whose member one is. */
export function customerNavigation(me: Me): SideNavigationProps.Item[] {
  return me.customers.map(({ customer }) => ({
    type: 'section' as const,
    text: `Settings of ${customer.name}`,
    items: customerLinks(customer.id).map((link) => (link.text === 'Requests' ? { ...link, info: createElement(RequestBadge, { customer: customer.id }) } : link)),
  }));
}
