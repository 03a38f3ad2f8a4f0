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

import { answer, Problem, useSubmit, type Schemas } from '../api';
import { apart, number, t } from '../language';
import { Page } from '../parts/Page';
import { problemWords } from '../parts/problems';
import { ProblemAlert } from '../parts/ProblemAlert';
import { everyRole, roleOptions } from '../parts/RoleSelect';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { useKept } from '../shell/useKept';
import { needsPhone, phoneless } from './lines';
import { useChanged, usePartner } from './queries';
import { mayHandle } from './rights';

interface Fields {
  name: string;
  email: string;
  role: Schemas['Role'];
  phone: string;
  mfa: boolean;
}

interface Row extends Fields {
  problem?: Problem; // what the service said of it, with pointers from the row on
}

const empty: Fields = { name: '', email: '', role: 'tech', phone: '', mfa: false };
const most = 25; // in one request

type Results = Schemas['UserResults']['results'];

/** Several employees in one go (P14), each with a result of its own: who was refused stays in the form, with the reason. */
export function AddEmployees() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const { partner, name, may } = usePartner();
  const [entered, edit, form] = useKept<{ rows: Fields[] }>(`employees ${partner}`, { rows: [empty] });
  const [problems, setProblems] = useState<(Problem | undefined)[]>([]);
  const rows = entered.rows.map((row, i): Row => ({ ...row, problem: problems[i] }));
  const setRows = (next: readonly Row[]) => {
    edit({ rows: next.map(({ name, email, role, phone, mfa }) => ({ name, email, role, phone, mfa })) });
    setProblems(next.map((row) => row.problem));
  };
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
        const made = results.flatMap((r) => (r.user ? [r.user] : []));
        const refused = rows.flatMap((row, i) => {
          const r = results[i];
          return r?.problem ? [{ ...row, problem: fromRow(r.problem, i) }] : [];
        });
        void changed();
        if (refused.length === 0) {
          form.done();
          const all = [...added, ...made];
          flash.done(t('pages.employees.added', { count: all.length }), all.map((u) => `${apart(u.name)} (${u.email})`).join(', '));
          void navigate(list);
          return;
        }
        setAdded((old) => [...old, ...made]);
        setRows(refused);
        setTried(false);
      },
    },
  );

  const change = (i: number, more: Partial<Row>) => setRows(rows.map((r, j) => (j === i ? { ...r, ...more } : r)));
  const missing = (r: Row, field: 'name' | 'email'): string | undefined =>
    tried && r[field].trim() === '' ? (field === 'name' ? t('pages.form.name_missing') : t('pages.form.address_missing')) : undefined;
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
    <Page title={t('pages.employees.add')} description={t('pages.employees.add_about', { name, roles: everyRole() })}>
      <form
        noValidate // the service says what is wrong, in the same words everywhere
        aria-label={t('pages.employees.add')}
        onSubmit={(e) => {
          e.preventDefault();
          submit();
        }}
      >
        {form.guard}
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button formAction="none" variant="link" onClick={() => void navigate(list)}>
                {added.length > 0 ? t('pages.button.close') : t('pages.button.cancel')}
              </Button>
              <Button variant="primary" loading={add.sending} disabled={rows.length === 0} disabledReason={t('pages.employees.none_to_add')}>
                {rows.length > 1 ? t('pages.employees.add_count', { count: rows.length }) : t('pages.button.add')}
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            {added.length > 0 && (
              <Alert type="success" header={t('pages.employees.added', { count: added.length })}>
                {added.map((u) => `${apart(u.name)} (${u.email})`).join(', ')}
              </Alert>
            )}
            {added.length + rows.filter((r) => r.problem).length > 0 && rows.some((r) => r.problem) && (
              <Alert type="error" header={t('pages.employees.not_added', { count: rows.filter((r) => r.problem).length })}>
                <ul>
                  {rows
                    .filter((r) => r.problem)
                    .map((r) => (
                      <li key={r.email}>
                        {t('pages.employees.refused', { name: r.name, problem: r.problem ? refusal(r.problem) : '' })}
                      </li>
                    ))}
                </ul>
                {others.length < rows.length && t('pages.employees.correct')}
              </Alert>
            )}
            <Container>
              <AttributeEditor
                items={rows}
                addButtonText={t('pages.employees.another')}
                disableAddButton={rows.length >= most}
                additionalInfo={t('pages.employees.most', { most: number(most) })}
                removeButtonText={t('pages.button.remove')}
                removeButtonAriaLabel={(r: Row) => (r.name ? t('pages.remove_of', { name: r.name }) : t('pages.employees.remove_line'))}
                i18nStrings={{ itemRemovedAriaLive: t('pages.employees.line_removed'), errorIconAriaLabel: t('pages.error') }}
                empty={t('pages.employees.none_to_add')}
                onAddButtonClick={() => {
                  setRows([...rows, empty]);
                  setTried(false);
                }}
                onRemoveButtonClick={(e) => setRows(rows.filter((_, i) => i !== e.detail.itemIndex))}
                gridLayout={[
                  { breakpoint: 'xs', rows: [[4, 5, 4, 4, 2]], removeButton: { width: 'auto' } },
                  { breakpoint: 'xxs', rows: [[1, 1], [1, 1], [1]], removeButton: { ownRow: true } },
                  { rows: [[1], [1], [1], [1], [1]], removeButton: { ownRow: true } },
                ]}
                definition={[
                  {
                    label: t('words.field.name'),
                    errorText: error('name'),
                    control: (r: Row, i: number) => <Input value={r.name} onChange={(e) => change(i, { name: e.detail.value })} autoComplete={false} placeholder="Kim Keller" />,
                  },
                  {
                    label: t('words.field.email'),
                    errorText: error('email'),
                    control: (r: Row, i: number) => (
                      <Input value={r.email} onChange={(e) => change(i, { email: e.detail.value })} type="email" inputMode="email" autoComplete={false} placeholder="kim@contoso.example" />
                    ),
                  },
                  {
                    label: t('words.field.role'),
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
                    label: t('pages.employees.phone'),
                    errorText: error('phone'),
                    control: (r: Row, i: number) => <Input value={r.phone} onChange={(e) => change(i, { phone: e.detail.value })} inputMode="tel" autoComplete={false} placeholder="+4930123456" />,
                  },
                  {
                    label: t('pages.employees.mfa'),
                    constraintText: needsPhone(),
                    errorText: error('mfa'),
                    control: (r: Row, i: number) => (
                      <Checkbox checked={r.mfa} onChange={(e) => change(i, { mfa: e.detail.checked })}>{t('pages.employees.mfa_on')}</Checkbox>
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

/** Why somebody was not added: what is wrong, and what can be done. */
const refusal = (problem: Problem): string => problemWords(problem).join('. ');

/** A row's own problem: its pointers lead into the whole request, /users/2/email. */
function fromRow(p: Schemas['Problem'], i: number): Problem {
  const at = `/users/${i}`;
  return new Problem({ ...p, errors: p.errors?.map((e) => ({ ...e, pointer: e.pointer.startsWith(at) ? e.pointer.slice(at.length) : e.pointer })) });
}
