import { Breadcrumbs, Group, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';
import { t } from '~/texts';
import classes from './Page.module.css';

interface Props {
  title: string;
  /** A name that people gave is isolated from the direction of the words around it. */
  lead?: ReactNode;
  /** Links to what the page belongs to, the outermost first. */
  crumbs?: ReactNode;
  beside?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A page of the console: its title (which gets the focus when one arrives), what can be done, and the content. */
export function Page({ title, lead, crumbs, beside, actions, children }: Props) {
  useEffect(() => {
    document.title = `${title} · ${t.common.product}`;
  }, [title]);
  return (
    <Stack gap="lg" className={classes.page}>
      <header className={classes.header}>
        <div className={classes.titles}>
          {crumbs && (
            <Breadcrumbs separator="›" className={classes.crumbs}>
              {crumbs}
            </Breadcrumbs>
          )}
          <Group gap="sm" wrap="nowrap" className={classes.line}>
            <Title order={1} tabIndex={-1} data-page-title className={classes.title} title={title}>
              <bdi>{title}</bdi>
            </Title>
            {beside}
          </Group>
          {lead && (
            <Text c="dimmed" size="sm" component="div" mt={4}>
              {lead}
            </Text>
          )}
        </div>
        {actions && (
          <Group gap="xs" className={classes.actions}>
            {actions}
          </Group>
        )}
      </header>
      {children}
    </Stack>
  );
}
