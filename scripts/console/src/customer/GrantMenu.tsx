import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import { lazy, Suspense, useState } from 'react';
import { useNavigate } from 'react-router';

import type { Schemas } from '../api';
import { t } from '../language';
import { over, useExtend, usePause } from './grants';
import { useCustomer } from './queries';

const RemovePartner = lazy(async () => ({ default: (await import('./RemovePartner')).RemovePartner }));

type Grant = Schemas['Grant'];

/** What an admin can do with a partner's access, as the menu of its row or the buttons of its page. Nothing of what only the provider ends. */
export function GrantMenu({ grant: g, back, text }: { grant: Grant; back?: string; text?: string }) {
  const navigate = useNavigate();
  const { customer } = useCustomer();
  const [removing, setRemoving] = useState(false);
  const pause = usePause();
  const extend = useExtend();
  if (g.managed) return null;
  const at = `/customers/${customer}/partners`;
  const items = over(g)
    ? [{ id: 'again', text: t('pages.grant.again') }]
    : [
        ...(text ? [] : [{ id: 'edit', text: t('pages.button.edit') }]),
        ...(g.until ? [7, 30, 90].map((days) => ({ id: `extend:${days}`, text: t('pages.extend.extend_by', { count: days }) })) : []),
        g.state === 'suspended' ? { id: 'resume', text: t('pages.grant.resume') } : { id: 'suspend', text: t('pages.grant.suspend') },
        { id: 'remove', text: t('pages.grant.remove') },
      ];
  return (
    <>
      <ButtonDropdown
        variant={text ? 'normal' : 'inline-icon'}
        ariaLabel={t('pages.actions_for', { name: g.partner.name })}
        expandToViewport
        loading={pause.sending || extend.sending}
        items={items}
        onItemClick={({ detail: { id } }) => {
          if (id === 'edit') void navigate(`${at}/${g.partner.id}/edit`, { state: { back } });
          else if (id === 'again') void navigate(`${at}/add?again=${encodeURIComponent(g.partner.id)}`);
          else if (id === 'remove') setRemoving(true);
          else if (id.startsWith('extend:')) extend.send({ grant: g, days: Number(id.slice('extend:'.length)) });
          else pause.send(g);
        }}
      >
        {text}
      </ButtonDropdown>
      {removing && (
        <Suspense fallback={null}>
          <RemovePartner grant={g} close={() => setRemoving(false)} />
        </Suspense>
      )}
    </>
  );
}
