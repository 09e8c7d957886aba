import { Tabs, Text } from '@mantine/core';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { Page } from '~/ui/Page';
import { TokenList } from './TokenList';

export function TokensPage() {
  const { may } = useHere();
  if (!may('tokens-read')) {
    return (
      <Page title={t.tokens.title} lead={t.tokens.lead}>
        <TokenList kind="own" />
      </Page>
    );
  }
  return (
    <Page title={t.tokens.title} lead={t.tokens.lead}>
      <Tabs defaultValue="own" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="own">{t.tokens.mine}</Tabs.Tab>
          <Tabs.Tab value="service">{t.tokens.services}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="own">
          <Text size="sm" c="dimmed" mb="sm">
            {t.tokens.mineHint}
          </Text>
          <TokenList kind="own" />
        </Tabs.Panel>
        <Tabs.Panel value="service">
          <Text size="sm" c="dimmed" mb="sm">
            {t.tokens.servicesHint}
          </Text>
          <TokenList kind="service" />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
