import { Button, Menu, Text } from '@mantine/core';
import { IconCheck, IconSelector } from '@tabler/icons-react';
import type { Here } from '~/session/session';
import { t } from '~/texts';
import { MenuLink } from '~/ui/links';
import { Name } from '~/ui/Name';

export function TenantMenu({ here }: { here: Here }) {
  return (
    <Menu position="bottom-start" width={280}>
      <Menu.Target>
        <Button
          variant="default"
          rightSection={<IconSelector size={16} aria-hidden />}
          aria-label={`${t.shell.switchTenant}: ${here.name}`}
          maw="14rem"
        >
          <Name size="sm">{here.name}</Name>
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah="60dvh" className="scrolls">
        <Menu.Label>{t.shell.switchTenant}</Menu.Label>
        {here.me.tenants.map(tenant => (
          <MenuLink
            key={tenant.id}
            to="/t/$tenant"
            params={{ tenant: tenant.id }}
            leftSection={
              tenant.id === here.tenant ? <IconCheck size={16} aria-hidden /> : <span className="icon-space" />
            }
            aria-current={tenant.id === here.tenant ? 'true' : undefined}
          >
            <Name>{tenant.name}</Name>
            <Text size="xs" c="dimmed">
              {t.roles.names[tenant.role]}
            </Text>
          </MenuLink>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
