import Box from '@cloudscape-design/components/box';
import Link from '@cloudscape-design/components/link';

import type { Schemas } from '../api';
import { t } from '../language';
import { levelName, opens, reasonWords } from '../parts/words';
import { usePartner } from './queries';

type Customer = Schemas['PartnerCustomer'];

/** The reason of a check in words, for the user of the partner who reads it. */
export function useReasonWords(): (c: Customer) => ReturnType<typeof reasonWords> {
  const { name } = usePartner();
  return (c) => reasonWords(c.your_reason ?? 'no_grant', { customer: c.customer.name, partner: name, picks: c.assigned_by });
}

/** What the sign-in link opens, with the customer's name: "Open dashboard of Acme". */
export const entryLabel = (c: Customer): string => t('pages.entry.of', { opens: opens(c.your_level ?? c.effective_level), customer: c.customer.name });

/**
 * The link to the customer's own console, named by what it opens for the reader; without access, the reason that a check gives (A18 to A20, W10). `brief`
 * leaves out what can be done about it.
 */
export function Entry({ of: c, brief = false }: { of: Customer; brief?: boolean }) {
  const { short, why, remedy } = useReasonWords()(c);
  if (c.sign_in_url) {
    return (
      <>
        <Link href={c.sign_in_url} external externalIconAriaLabel={t('pages.top.new_tab')} ariaLabel={entryLabel(c)}>
          {opens(c.your_level ?? c.effective_level)}
        </Link>
        {brief && c.your_level && c.your_level !== c.effective_level && (
          <Box variant="small" display="block" color="text-body-secondary">{t('pages.entry.level', { level: levelName(c.your_level) })}</Box>
        )}
      </>
    );
  }
  if (c.you_have_access) {
    return <Box color="text-body-secondary">{brief ? t('pages.entry.none') : t('pages.entry.no_address', { customer: c.customer.name })}</Box>;
  }
  if (brief) return <Box color="text-body-secondary">{short}</Box>;
  return (
    <Box color="text-body-secondary">
      {why} {remedy}
    </Box>
  );
}
