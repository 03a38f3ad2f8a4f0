import Icon from '@cloudscape-design/components/icon';
import { useEffect, useRef, useState, type KeyboardEvent, type MouseEvent } from 'react';

import { t } from '../language';
import type StatusMultiselect from './StatusMultiselect';
import type { OpenedBy } from './StatusMultiselect';
import { statusName, type GrantStatus } from './words';

let loaded: typeof StatusMultiselect | undefined;
const load = async () => (loaded ??= (await import('./StatusMultiselect')).default);
const ahead = () => void load().catch(() => undefined); // opening the list tries again

/**
 * StatusMultiselect, loaded when it is needed: its 22 kB are no part of a list's first view. Until its list is opened for the first time a button stands
 * for it, which looks, reads and opens as its own does.
 */
export function StatusFilter({ status, choose }: { status: readonly GrantStatus[]; choose: (status: string) => void }) {
  const button = useRef<HTMLButtonElement>(null);
  const [shown, setShown] = useState<{ Real: typeof StatusMultiselect; opened?: OpenedBy }>();
  const narrowed = status.length > 0;
  useEffect(() => {
    if (narrowed) load().then((Real) => setShown((before) => before ?? { Real }), () => undefined);
  }, [narrowed]);
  if (shown) return <shown.Real status={status} choose={choose} opened={shown.opened} />;

  const open = (opened: OpenedBy) => {
    const show = (Real: typeof StatusMultiselect) => setShown((before) => before ?? { Real, opened });
    if (loaded) return show(loaded);
    // Whoever has gone on meanwhile is not brought back.
    load().then((Real) => document.activeElement === button.current && show(Real), () => undefined);
  };
  const press = (e: MouseEvent<HTMLButtonElement>) => {
    e.preventDefault(); // the focus would leave the list that opens
    e.currentTarget.focus();
    open('pointer');
  };
  const key = (e: KeyboardEvent) => {
    if (!['Enter', ' ', 'ArrowDown', 'ArrowUp'].includes(e.key)) return;
    e.preventDefault();
    open('key');
  };
  const text = narrowed ? status.map(statusName).join(', ') : t('pages.search.not_ended');
  return (
    <button
      ref={button}
      type="button"
      className="status-filter"
      aria-haspopup="listbox"
      aria-expanded={false}
      aria-label={`${t('words.field.state')} ${text}`}
      onFocus={ahead}
      onPointerEnter={ahead}
      onMouseDown={press}
      onClick={() => open('pointer')} // by assistive technology, which presses nothing
      onKeyDown={key}
    >
      <span>{text}</span>
      <span>
        <Icon name="caret-down-filled" />
      </span>
    </button>
  );
}
