import Alert from '@cloudscape-design/components/alert';
import AttributeEditor from '@cloudscape-design/components/attribute-editor';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import Container from '@cloudscape-design/components/container';
import Form from '@cloudscape-design/components/form';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { useNavigate } from 'react-router';

import { answer, Problem, useSubmit, sentence, type Schemas } from '../api';
import { Page } from '../parts/Page';
import { ProblemAlert } from '../parts/ProblemAlert';
import { everyRole, roleOptions } from '../parts/RoleSelect';
import { count } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { needsPhone, phoneless } from './lines';
import { useChanged, usePartner } from './queries';
import { mayHandle } from './rights';

interface Row {
  name: string;
  email: string;
  role: Schemas['Role'];
  phone: string;
  mfa: boolean;
  problem?: Problem; // what the service said of it, with pointers from the row on
}

const empty: Row = { name: '', email: '', role: 'tech', phone: '', mfa: false };
const most = 25; // in one request

type Results = Schemas['UserResults']['results'];

/** Several employees in one go (P14), each with a result of its own: who was refused stays in the form, with the reason. */
export function AddEmployees() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const { partner, name, may } = usePartner();
  const [rows, setRows] = useState<Row[]>([empty]);
  const [added, setAdded] = useState<Schemas['User'][]>([]);
  const [tried, setTried] = useState(false);
  const list = `/partners/${partner}/employees`;
  const options = roleOptions((role) => mayHandle(may, role));

  const add = useSubmit(
    async (users: Schemas['UserCreate'][], key): Promise<Results> => {
      const { data } = await answer(
        api.POST('/v1/partners/{partner}/users', { params: { path: { partner }, header: { 'Idempotency-Key': key } }, body: { users } }),
      );
      return 'results' in data ? data.results : [{ status: 201, user: data }];
    },
    {
      repeatable: true,
      onDone: (results) => {
        const made = results.flatMap((r) => ('user' in r ? [r.user] : []));
        const refused = rows.flatMap((row, i) => {
          const r = results[i];
          return r && 'problem' in r ? [{ ...row, problem: fromRow(r.problem, i) }] : [];
        });
        void changed();
        if (refused.length === 0) {
          const all = [...added, ...made];
          flash.done(`${count(all.length, 'employee')} added`, all.map((u) => `${u.name} (${u.email})`).join(', '));
          void navigate(list);
          return;
        }
        setAdded((old) => [...old, ...made]);
        setRows(refused);
        setTried(false);
      },
    },
  );

  const change = (i: number, more: Partial<Row>) => setRows((old) => old.map((r, j) => (j === i ? { ...r, ...more } : r)));
  const missing = (r: Row, field: 'name' | 'email'): string | undefined =>
    tried && r[field].trim() === '' ? (field === 'name' ? 'Enter a name.' : 'Enter an address.') : undefined;
  const error =
    (field: keyof Schemas['UserCreate']) =>
    (r: Row): string | undefined =>
      (field === 'name' || field === 'email' ? missing(r, field) : field === 'phone' ? phoneless(r) : undefined) ?? r.problem?.at(`/${field}`);
  const submit = () => {
    setTried(true);
    if (rows.length === 0 || rows.some((r) => !r.name.trim() || !r.email.trim() || phoneless(r))) return;
    add.send(rows.map(({ name: n, email, role, phone, mfa }) => ({ name: n.trim(), email: email.trim(), role, mfa, ...(phone.trim() ? { phone: phone.trim() } : {}) })));
  };
  const others = rows.filter((r) => r.problem && r.problem.errors.length === 0); // refused for what no field stands for

  return (
    <Page title="Add employees" description={`Each gets an account at ${name}, and a mail with a temporary password. A copy without it goes to the partner's primary address. ${everyRole}`}>
      <form
        noValidate // the service says what is wrong, in the same words everywhere
        aria-label="Add employees"
        onSubmit={(e) => {
          e.preventDefault();
          submit();
        }}
      >
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button formAction="none" variant="link" onClick={() => void navigate(list)}>
                {added.length > 0 ? 'Close' : 'Cancel'}
              </Button>
              <Button variant="primary" loading={add.sending} disabled={rows.length === 0} disabledReason="There are no employees to add.">
                {rows.length > 1 ? `Add ${rows.length} employees` : 'Add'}
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            {added.length > 0 && (
              <Alert type="success" header={`${count(added.length, 'employee')} added`}>
                {added.map((u) => `${u.name} (${u.email})`).join(', ')}
              </Alert>
            )}
            {added.length + rows.filter((r) => r.problem).length > 0 && rows.some((r) => r.problem) && (
              <Alert type="error" header={`${count(rows.filter((r) => r.problem).length, 'employee')} not added`}>
                <ul>
                  {rows
                    .filter((r) => r.problem)
                    .map((r) => (
                      <li key={r.email}>
                        {r.name}: {sentence(r.problem?.detail ?? '')}
                      </li>
                    ))}
                </ul>
                {others.length < rows.length && 'The fields below say what is wrong. Correct it, or remove the line, and add again.'}
              </Alert>
            )}
            <Container>
              <AttributeEditor
                items={rows}
                addButtonText="Another employee"
                disableAddButton={rows.length >= most}
                additionalInfo={`Up to ${most} at once.`}
                removeButtonText="Remove"
                removeButtonAriaLabel={(r: Row) => `Remove ${r.name || 'this line'}`}
                i18nStrings={{ itemRemovedAriaLive: 'The line is removed.', errorIconAriaLabel: 'Error' }}
                empty="There are no employees to add."
                onAddButtonClick={() => {
                  setRows((old) => [...old, empty]);
                  setTried(false);
                }}
                onRemoveButtonClick={(e) => setRows((old) => old.filter((_, i) => i !== e.detail.itemIndex))}
                gridLayout={[
                  { breakpoint: 'xs', rows: [[4, 5, 4, 4, 2]], removeButton: { width: 'auto' } },
                  { breakpoint: 'xxs', rows: [[1, 1], [1, 1], [1]], removeButton: { ownRow: true } },
                  { rows: [[1], [1], [1], [1], [1]], removeButton: { ownRow: true } },
                ]}
                definition={[
                  {
                    label: 'Name',
                    errorText: error('name'),
                    control: (r: Row, i: number) => <Input value={r.name} onChange={(e) => change(i, { name: e.detail.value })} autoComplete={false} placeholder="Kim Keller" />,
                  },
                  {
                    label: 'E-mail address',
                    errorText: error('email'),
                    control: (r: Row, i: number) => (
                      <Input value={r.email} onChange={(e) => change(i, { email: e.detail.value })} type="email" inputMode="email" autoComplete={false} placeholder="kim@contoso.example" />
                    ),
                  },
                  {
                    label: 'Role',
                    errorText: error('role'),
                    control: (r: Row, i: number) => (
                      <Select
                        selectedOption={options.find((o) => o.value === r.role) ?? null}
                        options={options}
                        onChange={(e) => change(i, { role: e.detail.selectedOption.value as Row['role'] })}
                        expandToViewport
                      />
                    ),
                  },
                  {
                    label: 'Telephone',
                    errorText: error('phone'),
                    control: (r: Row, i: number) => <Input value={r.phone} onChange={(e) => change(i, { phone: e.detail.value })} inputMode="tel" autoComplete={false} placeholder="+4930123456" />,
                  },
                  {
                    label: 'Two factors',
                    constraintText: needsPhone,
                    errorText: error('mfa'),
                    control: (r: Row, i: number) => (
                      <Checkbox checked={r.mfa} onChange={(e) => change(i, { mfa: e.detail.checked })}>
                        On
                      </Checkbox>
                    ),
                  },
                ]}
              />
            </Container>
            {add.problem && <ProblemAlert problem={add.problem} />}
          </SpaceBetween>
        </Form>
      </form>
    </Page>
  );
}

/** A row's own problem: its pointers lead into the whole request, /users/2/email. */
function fromRow(p: Schemas['Problem'], i: number): Problem {
  const at = `/users/${i}`;
  return new Problem({ ...p, errors: p.errors?.map((e) => ({ ...e, pointer: e.pointer.startsWith(at) ? e.pointer.slice(at.length) : e.pointer })) });
}
