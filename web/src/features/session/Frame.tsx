import { Paper, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';
import { t } from '~/texts';
import classes from './Frame.module.css';

/** A page for somebody who is not in the console yet. */
export function Frame({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · ${t.common.product}`;
  }, [title]);
  return (
    <main className={classes.frame}>
      <div className={classes.brand}>
        <img src="/favicon.svg" alt="" width={40} height={40} />
        <Text fw={700} size="xl" span>
          {t.common.product}
        </Text>
      </div>
      <Paper withBorder radius="lg" p="xl" w="100%" maw={440}>
        <Stack>
          <div>
            <Title order={1} size="h2" tabIndex={-1} data-page-title>
              {title}
            </Title>
            {lead && <Text c="dimmed">{lead}</Text>}
          </div>
          {children}
        </Stack>
      </Paper>
    </main>
  );
}
