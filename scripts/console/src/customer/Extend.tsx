import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import { useNavigate } from 'react-router';

import type { Schemas } from '../api';
import { t } from '../language';
import { useExtend } from './grants';
import { useCustomer } from './queries';

const steps = [7, 30, 90];

/** Extends an access by 7, 30 or 90 days from its present end on, or leads to where another end is entered. */
export function Extend({ grant }: { grant: Schemas['Grant'] }) {
  const navigate = useNavigate();
  const { customer } = useCustomer();
  const extend = useExtend();
  return (
    <ButtonDropdown
      ariaLabel={t('pages.extend.of', { name: grant.partner.name })}
      expandToViewport
      loading={extend.sending}
      items={[...steps.map((days) => ({ id: String(days), text: t('pages.extend.by_days', { count: days }) })), { id: 'other', text: t('pages.extend.other') }]}
      onItemClick={({ detail: { id } }) =>
        id === 'other'
          ? void navigate(`/customers/${customer}/partners/${grant.partner.id}/edit`, { state: { back: location.pathname + location.search } })
          : extend.send({ grant, days: Number(id) })
      }
    >{t('pages.extend.action')}</ButtonDropdown>
  );
}
