import { ActionIcon, Drawer, Text, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconKeyboard, IconMenu2, IconSearch } from '@tabler/icons-react';
import { Link, Outlet } from '@tanstack/react-router';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { AccountMenu } from './AccountMenu';
import { Banner } from './Banner';
import { Help } from './Help';
import { Navigation } from './Navigation';
import { openPalette, Palette } from './Palette';
import classes from './Shell.module.css';
import { useShortcuts } from './shortcuts';
import { TenantMenu } from './TenantMenu';

/** What stands around every page of a tenant. */
export function Shell() {
  const here = useHere();
  const [menu, { open: openMenu, close: closeMenu }] = useDisclosure();
  const [help, { open: openHelp, close: closeHelp }] = useDisclosure();
  useShortcuts({ tenant: here.tenant, openHelp });
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#content">
        {t.shell.skip}
      </a>
      <header className={classes.header}>
        <ActionIcon
          className={classes.burger}
          variant="subtle"
          color="gray"
          size="lg"
          onClick={openMenu}
          aria-label={t.shell.menu}
        >
          <IconMenu2 aria-hidden />
        </ActionIcon>
        <Link
          to="/t/$tenant"
          params={{ tenant: here.tenant }}
          className={classes.brand}
          aria-label={`${t.common.product}: ${t.shell.nav.home}`}
        >
          <img src="/favicon.svg" alt="" width={26} height={26} />
          <Text span fw={700} className={classes.product}>
            {t.common.product}
          </Text>
        </Link>
        <TenantMenu here={here} />
        <div className={classes.space} />
        <button type="button" className={classes.search} onClick={openPalette} aria-label={t.shell.search}>
          <IconSearch size={16} aria-hidden />
          <span className={classes.searchText}>{t.shell.search}</span>
        </button>
        <Tooltip label={t.shell.help}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            onClick={openHelp}
            aria-label={t.shell.help}
            className={classes.help}
          >
            <IconKeyboard size={20} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <AccountMenu here={here} />
      </header>
      <aside className={classes.sidebar}>
        <Navigation here={here} />
      </aside>
      <Drawer
        opened={menu}
        onClose={closeMenu}
        size={280}
        title={t.common.product}
        closeButtonProps={{ 'aria-label': t.shell.closeMenu }}
      >
        <Navigation here={here} onGo={closeMenu} />
      </Drawer>
      <main id="content" className={classes.main} tabIndex={-1}>
        <Banner />
        <Outlet />
      </main>
      <Palette here={here} />
      <Help opened={help} close={closeHelp} />
    </div>
  );
}
