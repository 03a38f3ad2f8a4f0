import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Grid from '@cloudscape-design/components/grid';
import Select from '@cloudscape-design/components/select';
import { useNavigate } from 'react-router';

import { answer, useSubmit, type CursorPages, type Schemas } from '../api';
import { t } from '../language';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { PanelOutlet } from '../shell/Panel';
import { useCancelInvitation } from './CancelInvitation';
import { DataTable, type Column } from './DataTable';
import { Instant } from './Instant';
import { problemWords } from './problems';
import { InvitationStatus } from './Status';
import { levelName } from './words';

export type Invitation = Schemas['Invitation'];

/** The status that the list is narrowed to; '': none. */
export type Shown = Schemas['InvitationStatus'] | '';

const filters = () => [
  { value: '', label: t('pages.invitation.all') },
  ...(['pending', 'accepted', 'declined', 'cancelled', 'expired'] as const).map((s) => ({ value: s as string, label: t(`words.invitation_status.${s}`) })),
];

/**
 * Invitations of either side, and what became of them. Whoever may invite, which happens at the address `invite`, may also send one again and cancel it.
 * `first` and `last` are the side's own columns.
 */
export function InvitationTable({
  pages,
  shown,
  show,
  description,
  invite,
  side,
  first,
  last = [],
  changed,
}: {
  pages: CursorPages<Invitation>;
  shown: Shown;
  show: (status: Shown) => void;
  description: string;
  invite: string | undefined;
  side: 'customer' | 'partner';
  first: readonly Column<Invitation>[];
  last?: readonly Column<Invitation>[];
  changed: () => Promise<void>;
}) {
  const api = useApi();
  const flash = useFlash();
  const navigate = useNavigate();
  const options = filters();
  const { cancel, dialog } = useCancelInvitation(changed);
  const path = (i: Invitation) => ({ customer: i.customer, invitation: i.id });
  const resend = useSubmit(
    async (i: Invitation, key) =>
      (await answer(api.POST('/v1/customers/{customer}/invitations/{invitation}/resend', { params: { path: path(i), header: { 'Idempotency-Key': key } } }))).data,
    {
      repeatable: true,
      onDone: ({ invitation: i }) => {
        flash.done(t('pages.invitation.resent', { email: i.email }), t('pages.invitation.resent_about'));
        void changed();
      },
      onProblem: (problem) => {
        flash.warn(...problemWords(problem));
        void changed();
      },
    },
  );
  return (
    <>
      <DataTable
        title={t('pages.invitation.list')}
        description={description}
        actions={
          invite && (
            <Button variant="primary" onClick={() => void navigate(invite)}>{t('pages.invitation.invite')}</Button>
          )
        }
        pages={pages}
        trackBy={(i) => i.id}
        empty={shown ? t('pages.invitation.none_of_kind') : t('pages.invitation.none')}
        filter={
          <Grid gridDefinition={[{ colspan: { default: 12, xs: 4 } }]}>
            <Select
              ariaLabel={t('pages.list.shown')}
              selectedOption={options.find((f) => f.value === shown) ?? null}
              options={options}
              onChange={(e) => show((e.detail.selectedOption.value ?? '') as Shown)}
            />
          </Grid>
        }
        columns={[
          ...first,
          { id: 'level', header: t('words.field.level'), whole: true, minWidth: 90, cell: (i) => levelName(i.level) },
          { id: 'status', header: t('words.field.state'), whole: true, minWidth: 130, cell: (i) => <InvitationStatus of={i.status} reason={i.reason} /> },
          { id: 'expires', header: t('pages.invitation.acceptable_until'), minWidth: 140, cell: (i) => <Instant at={i.expires_at} /> },
          ...last,
          ...(invite
            ? [
                {
                  id: 'actions',
                  header: t('pages.column.actions'),
                  minWidth: 80,
                  cell: (i: Invitation) =>
                    i.status !== 'accepted' ? (
                      <ButtonDropdown
                        variant="inline-icon"
                        ariaLabel={t('pages.actions_for', { name: i.email })}
                        expandToViewport
                        loading={resend.sending && resend.input?.id === i.id}
                        items={[
                          ...(i.status !== 'pending' || i.invited_by.kind === side ? [{ id: 'resend', text: i.status === 'pending' ? t('pages.button.send_again') : t('pages.invitation.invite_again') }] : []),
                          ...(i.status === 'pending' ? [{ id: 'cancel', text: t('pages.invitation.cancel.action') }] : []),
                        ]}
                        onItemClick={({ detail: { id } }) => (id === 'resend' ? resend.send(i) : cancel(i))}
                      />
                    ) : null,
                },
              ]
            : []),
        ]}
      />
      {dialog}
      <PanelOutlet />
    </>
  );
}
