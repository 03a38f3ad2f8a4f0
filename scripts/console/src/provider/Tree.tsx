import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import TreeView from '@cloudscape-design/components/tree-view';
import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';

import { answer, asProblem, useCursorPages, type Api, type Schemas } from '../api';
import { t } from '../language';
import { Name } from '../parts/Name';
import { Page } from '../parts/Page';
import { problemWords } from '../parts/problems';
import { ProblemAlert } from '../parts/ProblemAlert';
import { levelName, statusWords } from '../parts/words';
import { useApi } from '../session';
import { useFollow } from '../shell/useFollow';
import { isThere, keyOf } from './queries';

type Name = Schemas['PartnerName'];
type PartnerCustomer = Schemas['PartnerCustomer'];

/** A partner, a customer of one, or a line that says what is there instead. Ids are unique in the tree: a customer stands below each of its partners. */
type Node = { id: string; partner: Name } | { id: string; of: string; customer: PartnerCustomer } | { id: string; line: 'loading' | 'nothing' | 'more'; of: string } | { id: string; problem: unknown };

const most = 100; // partners and customers below one that the tree shows

async function readBelow(api: Api, partner: string, signal: AbortSignal) {
  const params = { params: { path: { partner }, query: { limit: most } }, signal };
  const [partners, customers] = await Promise.all([answer(api.GET('/v1/partners/{partner}/partners', params)), answer(api.GET('/v1/partners/{partner}/customers', params))]);
  return { partners: partners.data.items, customers: customers.data.items, more: Boolean(partners.data.next_cursor ?? customers.data.next_cursor) };
}

/** The partners that have none above them, page by page: also those whose parent was removed. */
function useRoots() {
  const api = useApi();
  return useCursorPages(keyOf('tree'), async (cursor, signal) => {
    const { data } = await answer(api.GET('/v1/partners', { params: { query: { limit: 100, cursor } }, signal }));
    const partners = data.items.filter((p): p is Schemas['Partner'] => 'version' in p);
    const here = new Set(partners.map((p) => p.id));
    const parents = [...new Set(partners.flatMap((p) => (p.parent && !here.has(p.parent) ? [p.parent] : [])))];
    const gone = new Set<string>();
    await Promise.all(
      parents.map(async (partner) => {
        if (!(await isThere(answer(api.GET('/v1/partners/{partner}', { params: { path: { partner } }, signal }))))) gone.add(partner);
      }),
    );
    return { items: partners.filter((p) => !p.parent || gone.has(p.parent)), next_cursor: data.next_cursor };
  });
}

/** Partners with the partners and customers below them, read as they are opened (W3). Access never flows along it (W12). */
export function Tree() {
  const api = useApi();
  const follow = useFollow();
  const roots = useRoots();
  const [open, setOpen] = useState<readonly string[]>([]);
  const below = useQueries({
    queries: open.map((id) => ({ queryKey: keyOf('below', id), queryFn: ({ signal }: { signal: AbortSignal }) => readBelow(api, id, signal) })),
  });
  const childrenOf = (node: Node): Node[] | undefined => {
    if (!('partner' in node)) return undefined;
    const id = node.partner.id;
    const read = below[open.indexOf(id)];
    if (read?.error) return [{ id: `problem:${id}`, problem: read.error }];
    if (!read?.data) return [{ id: `loading:${id}`, line: 'loading', of: id }];
    const { partners, customers, more } = read.data;
    const nodes: Node[] = [...partners.map(nodeOf), ...customers.map((customer) => ({ id: `customer:${id}:${customer.customer.id}`, of: id, customer }))];
    if (more) nodes.push({ id: `more:${id}`, line: 'more', of: id });
    return nodes.length > 0 ? nodes : [{ id: `nothing:${id}`, line: 'nothing', of: id }];
  };
  return (
    <Page title={t('pages.tree.title')} description={t('pages.tree.about')}>
      <Container>
        {roots.problem ? (
          <ProblemAlert problem={roots.problem} retry={roots.retry} />
        ) : roots.loading ? (
          <Spinner size="large" />
        ) : (
          <SpaceBetween size="s">
            {roots.all.length === 0 && <Box color="text-body-secondary">{t('pages.directory.no_partners')}</Box>}
            <TreeView<Node>
              ariaLabel={t('pages.tree.label')}
              items={roots.all.map(nodeOf)}
              getItemId={(node) => node.id}
              getItemChildren={childrenOf}
              expandedItems={open.map((id) => `partner:${id}`)}
              onItemToggle={({ detail: { item, expanded } }) => {
                if (!('partner' in item)) return;
                const { id } = item.partner;
                setOpen((old) => (expanded ? [...old, id] : old.filter((o) => o !== id)));
              }}
              connectorLines="vertical"
              i18nStrings={{ expandButtonLabel: (node) => t('pages.tree.open', { name: labelOf(node) }), collapseButtonLabel: (node) => t('pages.tree.close', { name: labelOf(node) }) }}
              renderItem={(node) => {
                if ('problem' in node) return { content: problemWords(asProblem(node.problem))[0] };
                if ('line' in node) {
                  if (node.line === 'loading') return { content: <Spinner />, announcementLabel: t('pages.list.loading') };
                  if (node.line === 'nothing') return { content: <Box color="text-body-secondary">{t('pages.tree.nothing')}</Box> };
                  return {
                    content: (
                      <Link href={`/partners/${node.of}/customers`} onFollow={follow}>{t('pages.tree.all_customers')}</Link>
                    ),
                  };
                }
                if ('partner' in node) {
                  return {
                    content: (
                      <Link href={`/partners/${node.partner.id}/customers`} onFollow={follow}>
                        <Name>{node.partner.name}</Name>
                      </Link>
                    ),
                    secondaryContent: <Box variant="small">{t('pages.tree.partner', { id: node.partner.id })}</Box>,
                    announcementLabel: node.partner.name,
                  };
                }
                const { customer: c } = node;
                return {
                  content: (
                    <Link href={`/partners/${node.of}/customers/${c.customer.id}`} onFollow={follow}>
                      <Name>{c.customer.name}</Name>
                    </Link>
                  ),
                  secondaryContent: (
                    <Box variant="small">
                      {c.managed
                        ? t('pages.tree.customer_managed', { level: levelName(c.effective_level), status: statusWords(c) })
                        : t('pages.tree.customer', { level: levelName(c.effective_level), status: statusWords(c) })}
                    </Box>
                  ),
                  announcementLabel: c.customer.name,
                };
              }}
            />
            {roots.more && (
              <Button onClick={roots.loadMore} loading={roots.fetching}>{t('pages.tree.more')}</Button>
            )}
          </SpaceBetween>
        )}
      </Container>
    </Page>
  );
}

const nodeOf = (partner: Name): Node => ({ id: `partner:${partner.id}`, partner });

const labelOf = (node: Node): string => ('partner' in node ? node.partner.name : '');
