import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Table from '@cloudscape-design/components/table';

import type { Problem, Schemas } from '../api';
import { ProblemAlert } from './ProblemAlert';
import { SearchField } from './SearchField';
import { Who } from './Who';
import { roleName } from './words';

export type AnyUser = Schemas['UserSummary'] | Schemas['GrantUser'] | Schemas['User'];

/** A partner's users as checkboxes. What is checked is the caller's to keep, so that it outlives searching and paging. */
export function UserChecks({
  label,
  users,
  checked,
  toggle,
  search,
  onSearch,
  loading,
  problem,
  retry,
  more,
  loadMore,
  frozen = false,
}: {
  label: string;
  users: readonly AnyUser[];
  checked: (id: string) => boolean;
  toggle: (users: AnyUser[], on: boolean) => void;
  search: string;
  onSearch: (text: string) => void;
  loading: boolean;
  problem?: Problem;
  retry?: () => void;
  more: boolean;
  loadMore: () => void;
  frozen?: boolean; // to be seen, not to be changed
}) {
  return (
    <Table
      variant="embedded"
      contentDensity="compact"
      wrapLines
      items={problem ? [] : users}
      trackBy="id"
      selectionType="multi"
      selectedItems={users.filter((u) => checked(u.id))}
      isItemDisabled={() => frozen}
      onSelectionChange={({ detail: { selectedItems } }) => {
        const now = new Set(selectedItems.map((u) => u.id));
        const on = users.filter((u) => now.has(u.id) && !checked(u.id));
        const off = users.filter((u) => !now.has(u.id) && checked(u.id));
        if (on.length > 0) toggle(on, true);
        if (off.length > 0) toggle(off, false);
      }}
      ariaLabels={{
        tableLabel: label,
        selectionGroupLabel: label,
        allItemsSelectionLabel: () => 'All that are shown',
        itemSelectionLabel: (_, u) => u.name,
      }}
      loading={loading}
      loadingText="Loading users"
      columnDefinitions={[
        { id: 'user', header: 'User', cell: (u) => <Who name={u.name} about={u.email} />, isRowHeader: true },
        { id: 'role', header: 'Role', cell: (u) => roleName[u.role] },
      ]}
      filter={<SearchField value={search} onChange={onSearch} placeholder="Find users by name" label={`Find in ${label}`} />}
      empty={
        problem ? (
          <ProblemAlert problem={problem} retry={retry} />
        ) : (
          <Box textAlign="center" color="inherit">
            {search ? `No user's name begins with “${search}”.` : 'There are no users.'}
          </Box>
        )
      }
      footer={
        more && (
          <Box textAlign="center">
            <Button onClick={loadMore} loading={loading}>
              More users
            </Button>
          </Box>
        )
      }
    />
  );
}
