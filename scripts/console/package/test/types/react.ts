import { createApi } from 'partner-access';
import { PartnerAccess, useGrantChanges, useGrants, useMe, usePeople } from 'partner-access/react';
import { createElement, type ReactNode } from 'react';

function Partners({ customer }: { customer: string }): ReactNode {
  const me = useMe();
  const grants = useGrants(customer, { status: ['active', 'scheduled'], limit: 50 });
  const people = usePeople(customer, { q: 'kim' });
  const { grant, edit, revoke } = useGrantChanges(customer);
  const first = grants.items[0];
  if (first) edit.send({ grant: first, change: { level: 'view' } });
  if (first) revoke.send(first);
  grant.send({ partner: 'contoso', level: 'support' });
  const changed = edit.problem?.code === 'version_mismatch';
  return createElement('p', { title: me.data?.email }, people.items.map((person) => person.name).join(), changed, grants.problem?.detail);
}

const api = createApi({ baseUrl: '', token: () => undefined });
export const tab = createElement(PartnerAccess, { api, children: createElement(Partners, { customer: 'acme' }) });
