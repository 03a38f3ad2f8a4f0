import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import type { ReactNode } from 'react';

import { t } from '../language';
import { Name } from './Name';

/** A page inside the shell: its title (also of the tab), what can be done with the whole of it, and its content. */
export function Page({
  title,
  tabTitle = title,
  description,
  actions,
  children,
}: {
  title: string;
  tabTitle?: string; // where the browser's tab says more
  description?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <ContentLayout
      header={
        <Header variant="h1" description={description} actions={actions}>
          <Name>{title}</Name>
        </Header>
      }
    >
      <title>{t('pages.title', { title: tabTitle })}</title>
      {children}
    </ContentLayout>
  );
}
