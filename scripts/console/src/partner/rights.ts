import type { Me } from '../session';

/**
 * What somebody may do at a partner, by the role that /v1/me tells, as openapi.yaml says for each operation. It decides what is offered; the
 * service decides what is done.
 */
export interface Rights {
  owner: boolean; // the account settings (P8)
  lead: boolean; // owner, admin or business: customers, employees, invitations, history and mails
  employee: boolean; // of whatever role: sees customers and employees. External users see only the customers that they can enter
  provider: boolean; // sees everything, and keeps the employees, owners among them
}

export function rightsOf(me: Me | undefined, partner: string): Rights {
  const role = me?.partner?.id === partner ? me.partner.user.role : undefined;
  return {
    owner: role === 'owner',
    lead: role === 'owner' || role === 'admin' || role === 'business',
    employee: role !== undefined && role !== 'external',
    provider: me?.provider ?? false,
  };
}
