import { ActionIcon, Menu, SegmentedControl, Stack, Text, useMantineColorScheme } from '@mantine/core';
import { IconApi, IconLogout, IconUserCircle } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { answer, api } from '~/api/client';
import { type Here, meQuery } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { MenuLink } from '~/ui/links';
import { Name } from '~/ui/Name';

export function AccountMenu({ here }: { here: Here }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const signOut = useAct({
    run: () => answer(api.DELETE('/v1/session')),
    done: () => {
      client.clear();
      client.setQueryData(meQuery.queryKey, null);
      void navigate({ to: '/sign-in' });
    },
  });
  const person = here.me.user;
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t.shell.account}>
          <IconUserCircle aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {person && (
          <Stack gap={0} px="sm" py={6}>
            <Name fw={600}>{person.name}</Name>
            <Name size="xs" c="dimmed">
              {person.email}
            </Name>
          </Stack>
        )}
        <Menu.Divider />
        <MenuLink
          to="/t/$tenant/account"
          params={{ tenant: here.tenant }}
          leftSection={<IconUserCircle size={16} aria-hidden />}
        >
          {t.shell.nav.account}
        </MenuLink>
        <Menu.Item
          component="a"
          href="/docs"
          target="_blank"
          rel="noreferrer"
          leftSection={<IconApi size={16} aria-hidden />}
        >
          {t.shell.docs}
        </Menu.Item>
        <Menu.Divider />
        <Stack gap={4} px="sm" py={6}>
          <Text size="xs" c="dimmed" id="colours">
            {t.shell.scheme}
          </Text>
          <SegmentedControl
            size="xs"
            aria-labelledby="colours"
            value={colorScheme}
            onChange={value => setColorScheme(value as 'light' | 'dark' | 'auto')}
            data={[
              { value: 'light', label: t.shell.light },
              { value: 'dark', label: t.shell.dark },
              { value: 'auto', label: t.shell.auto },
            ]}
          />
        </Stack>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => signOut.mutate()}>
          {t.shell.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
