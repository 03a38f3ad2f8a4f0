import type { SideNavigationProps } from '@cloudscape-design/components/side-navigation';

import { t } from '../language';
import type { Me } from '../session';
import { rightsOf } from './rights';

/** The partner's pages: those that one's role may see. */
export function partnerNavigation(me: Me): SideNavigationProps.Item[] {
  if (!me.partner) return [];
  const at = `/partners/${me.partner.id}`;
  const may = rightsOf(me, me.partner.id);
  const link = (page: 'customers' | 'employees' | 'requests' | 'invitations' | 'history' | 'mail' | 'account' | 'password') => ({
    type: 'link' as const,
    text: t(`pages.nav.${page}`),
    href: `${at}/${page}`,
  });
  return [
    {
      type: 'section',
      text: me.partner.name,
      items: [
        link('customers'),
        ...(may.employee ? [link('employees')] : []),
        ...(may.employee ? [link('requests')] : []),
        ...(may.lead ? [link('invitations')] : []),
        ...(may.employee ? [link('history')] : []), // P4
        ...(may.lead ? [link('mail')] : []),
        ...(may.owner ? [link('account')] : []),
        ...(may.employee ? [link('password')] : []),
      ],
    },
  ];
}
