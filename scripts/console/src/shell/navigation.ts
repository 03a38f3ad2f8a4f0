import type { SideNavigationProps } from '@cloudscape-design/components/side-navigation';

import { customerNavigation } from '../customer/navigation';
import { partnerNavigation } from '../partner/navigation';
import { providerNavigation } from '../provider/navigation';
import type { Me } from '../session';

/** The sides that somebody has: each side says itself what it has to show. */
export function navigationOf(me: Me): SideNavigationProps.Item[] {
  return [...customerNavigation(me), ...partnerNavigation(me), ...providerNavigation(me)];
}

/** The first page of the first side that somebody has; undefined for somebody whom nobody has registered. */
export function homeOf(me: Me): string | undefined {
  for (const item of navigationOf(me)) {
    if (item.type === 'link') return item.href;
    if (item.type === 'section') {
      const first = item.items[0];
      if (first?.type === 'link') return first.href;
    }
  }
  return undefined;
}
