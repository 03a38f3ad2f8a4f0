import Multiselect from '@cloudscape-design/components/multiselect';
import { useEffect, useRef } from 'react';

import { t } from '../language';
import { grantStatuses as statuses, statusName, type GrantStatus } from './words';

/** How the list of states is opened: by the pointer, or by a key, which moves the highlight to the first state. */
export type OpenedBy = 'pointer' | 'key';

/** Chooses the states of grants that a list shows. With `opened` its list is open from the start, as if that had happened to its button. */
export default function StatusMultiselect({ status, choose, opened }: { status: readonly GrantStatus[]; choose: (status: string) => void; opened?: OpenedBy }) {
  const root = useRef<HTMLDivElement>(null);
  const left = useRef(opened);
  useEffect(() => {
    const by = left.current;
    left.current = undefined; // once, also where React runs effects twice
    const how = { bubbles: true, cancelable: true };
    // Multiselect has no property to open it.
    if (by) root.current?.querySelector('button')?.dispatchEvent(by === 'key' ? new KeyboardEvent('keydown', { ...how, key: 'ArrowDown', keyCode: 40 }) : new MouseEvent('mousedown', how));
  }, []);
  return (
    <div ref={root}>
      <Multiselect
        ariaLabel={t('words.field.state')}
        selectedOptions={status.map((s) => ({ value: s, label: statusName(s) }))}
        options={statuses.map((s) => ({ value: s, label: statusName(s) }))}
        onChange={(e) => choose(e.detail.selectedOptions.map((o) => o.value).join(','))}
        placeholder={t('pages.search.not_ended')}
        inlineTokens
      />
    </div>
  );
}
