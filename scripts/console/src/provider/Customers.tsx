import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { useNavigate } from 'react-router';

import { answer, Problem, useSubmit } from '../api';
import { Page } from '../parts/Page';
import { ProblemAlert } from '../parts/ProblemAlert';
import { useApi } from '../session';
import { PanelOutlet } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { isThere, validId } from './queries';

/** Customers are found by the provider's own id: the service lists them by partner, and not all at once. */
export function Customers() {
  const api = useApi();
  const navigate = useNavigate();
  const follow = useFollow();
  const [id, setId] = useState('');
  const [tried, setTried] = useState(false);
  const find = useSubmit(
    async (customer: string) => {
      if (!(await isThere(answer(api.GET('/v1/customers/{customer}', { params: { path: { customer } } }))))) {
        throw new Problem({ status: 404, code: 'page', title: 'There is no such customer', errors: [{ pointer: '/id', detail: `Nobody has registered a customer ${customer}.` }] });
      }
      return customer;
    },
    { onDone: (customer) => void navigate(`/provider/customers/${customer}`) },
  );
  const wrong = tried && !validId(id.trim()) ? 'Enter a customer’s id.' : find.problem?.at('/id');
  return (
    <>
      <Page
        title="Customers"
        description="The customers' own records, their people, and what you open between them and partners."
        actions={
          <Button variant="primary" onClick={() => void navigate('/provider/customers/new')}>
            Register customer
          </Button>
        }
      >
        <form
          noValidate // the service says what is wrong, in the same words everywhere
          aria-label="Find a customer"
          onSubmit={(e) => {
            e.preventDefault();
            setTried(true);
            if (validId(id.trim())) find.send(id.trim());
          }}
        >
          <Container header={<Header variant="h2">Find a customer</Header>}>
            <SpaceBetween size="m">
              <FormField
                label="Id"
                description="Your own id of the customer."
                errorText={wrong}
              >
                <Input value={id} onChange={(e) => setId(e.detail.value)} placeholder="acme" autoComplete={false} />
              </FormField>
              {find.problem && !find.problem.at('/id') && <ProblemAlert problem={find.problem} />}
              <Button loading={find.sending}>Open</Button>
              <Box variant="small" color="text-body-secondary">
                The customers of one partner are listed from its menu in{' '}
                <Link href="/provider/partners" onFollow={follow} fontSize="inherit" variant="primary">
                  Partners
                </Link>
                .
              </Box>
            </SpaceBetween>
          </Container>
        </form>
      </Page>
      <PanelOutlet />
    </>
  );
}
