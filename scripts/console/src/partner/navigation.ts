import type { SideNavigationProps } from '@cloudscape-design/components/side-navigation';

import type { Me } from '../session';
import { rightsOf } from './rights';

/** The partner's pages: those that one's role may see. */
export function partnerNavigation(me: Me): SideNavigationProps.Item[] {
  if (!me.partner) return [];
  const at = `/partners/${me.partner.id}`;
  const may = rightsOf(me, me.partner.id);
  const link = (text: string, page: string) => ({ type: 'link' as const, text, href: `${at}/${page}` });
  return [
    {
      type: 'section',
      text: me.partner.name,
      items: [
        link('Customers', 'customers'),
        ...(may.employee ? [link('Employees', 'employees')] : []),
        ...(may.employee ? [link('Requests', 'requests')] : []),
        ...(may.lead ? [link('Invitations', 'invitations')] : []),
        ...(may.employee ? [link('History', 'history')] : []), // P4
        ...(may.lead ? [link('Mails', 'mail')] : []),
        ...(may.owner ? [link('Account settings', 'account')] : []),
        ...(may.employee ? [link('My password', 'password')] : []),
      ],
    },
  ];
}
