import type { Schemas } from '../api';
import type { Me } from '../session';

/**
 * What somebody may do at a partner, by the role that /v1/me tells, as openapi.yaml says for each operation. It decides what is offered; the
 * service decides what is done.
 */
export interface Rights {
  role: Schemas['Role'] | undefined; // of the reader at this partner
  owner: boolean; // the account settings (P8)
  lead: boolean; // owner, admin or business: customers, employees, invitations, history and mails
  employee: boolean; // of whatever role: sees customers, employees and history. External users see only the customers that they have access to
  provider: boolean; // sees everything, and manages the employees, owners among them
}

export function rightsOf(me: Me | undefined, partner: string): Rights {
  const role = me?.partner?.id === partner ? me.partner.user.role : undefined;
  return {
    role,
    owner: role === 'owner',
    lead: role === 'owner' || role === 'admin' || role === 'business',
    employee: role !== undefined && role !== 'external',
    provider: me?.provider ?? false,
  };
}

const rank: Record<Schemas['Role'], number> = { owner: 4, admin: 3, business: 2, tech: 1, sales_marketing: 1, external: 0 };

/** Whether somebody may change a user of that role, or give it: no role above one's own, and owners are the provider's. */
export const mayHandle = (may: Rights, role: Schemas['Role']): boolean =>
  may.provider || (may.lead && role !== 'owner' && may.role !== undefined && rank[role] <= rank[may.role]);
