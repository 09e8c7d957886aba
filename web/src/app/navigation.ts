// The console's main navigation: what stands in the sidebar, in the palette and behind the `g` shortcuts. To add a page, add
// its route and a line here.
import {
  type Icon,
  IconActivity,
  IconCalendarTime,
  IconHistory,
  IconHome,
  IconKey,
  IconPlug,
  IconPuzzle,
  IconRoute,
  IconSettings,
  IconUsers,
} from '@tabler/icons-react';
import type { Operation } from '~/session/access';
import { t } from '~/texts';

export interface Place {
  to:
    | '/t/$tenant'
    | '/t/$tenant/pipelines'
    | '/t/$tenant/runs'
    | '/t/$tenant/calendar'
    | '/t/$tenant/connections'
    | '/t/$tenant/connectors'
    | '/t/$tenant/members'
    | '/t/$tenant/tokens'
    | '/t/$tenant/audit'
    | '/t/$tenant/settings';
  label: string;
  icon: Icon;
  /** Pressed after `g`. */
  letter: string;
  needs?: Operation;
}

export const SECTIONS: { title?: string; places: Place[] }[] = [
  {
    places: [
      { to: '/t/$tenant', label: t.shell.nav.home, icon: IconHome, letter: 'h' },
      { to: '/t/$tenant/pipelines', label: t.shell.nav.pipelines, icon: IconRoute, letter: 'p' },
      { to: '/t/$tenant/runs', label: t.shell.nav.runs, icon: IconActivity, letter: 'r' },
      { to: '/t/$tenant/calendar', label: t.shell.nav.calendar, icon: IconCalendarTime, letter: 'k' },
    ],
  },
  {
    title: t.shell.sections.setup,
    places: [
      { to: '/t/$tenant/connections', label: t.shell.nav.connections, icon: IconPlug, letter: 'c' },
      { to: '/t/$tenant/connectors', label: t.shell.nav.connectors, icon: IconPuzzle, letter: 'o' },
    ],
  },
  {
    title: t.shell.sections.administration,
    places: [
      { to: '/t/$tenant/members', label: t.shell.nav.members, icon: IconUsers, letter: 'm' },
      { to: '/t/$tenant/tokens', label: t.shell.nav.tokens, icon: IconKey, letter: 't' },
      { to: '/t/$tenant/audit', label: t.shell.nav.audit, icon: IconHistory, letter: 'a', needs: 'audit-read' },
      { to: '/t/$tenant/settings', label: t.shell.nav.settings, icon: IconSettings, letter: 's' },
    ],
  },
];

export const PLACES: Place[] = SECTIONS.flatMap(section => section.places);
