import type { SideNavigationProps } from '@cloudscape-design/components/side-navigation';

import { createElement } from 'react';

import { t } from '../language';
import type { Me } from '../session';
import { RequestBadge } from './RequestBadge';

/** The customer's pages. */
export const customerLinks = (customer: string) =>
  (['overview', 'partners', 'people', 'requests', 'invitations', 'history', 'mail'] as const).map((page) => ({
    type: 'link' as const,
    page,
    text: t(`pages.nav.${page}`),
    href: `/customers/${customer}/${page}`,
  }));

/** The customer's pages: for each customer whose member one is. */
export function customerNavigation(me: Me): SideNavigationProps.Item[] {
  return me.customers.map(({ customer }) => ({
    type: 'section' as const,
    text: t('pages.settings_of', { name: customer.name }),
    items: customerLinks(customer.id).map(({ page, ...link }) => (page === 'requests' ? { ...link, info: createElement(RequestBadge, { customer: customer.id }) } : link)),
  }));
}
