import '@mantine/spotlight/styles.layer.css';

import { useDebouncedValue } from '@mantine/hooks';
import { createSpotlight, Spotlight } from '@mantine/spotlight';
import { IconPlug, IconRoute, IconSearch } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { answer, api } from '~/api/client';
import { key } from '~/api/query';
import type { Here } from '~/session/session';
import { t } from '~/texts';
import { PLACES } from '../navigation';

const [store, spotlight] = createSpotlight();

export const openPalette = (): void => spotlight.open();

/** Most that is shown of each kind. */
const MOST = 8;

/** Pages, pipelines and connections by name, from wherever one is; names are searched at the service. */
export function Palette({ here }: { here: Here }) {
  const navigate = useNavigate();
  const [typed, type] = useState('');
  const [open, setOpen] = useState(false);
  /** What somebody has confirmed before there was an answer: it is gone to once there is. */
  const [confirmed, confirm] = useState<string>();
  const { tenant } = here;
  const wanted = typed.trim();
  const [settled] = useDebouncedValue(wanted, 150);
  const found = useQuery({
    queryKey: key(tenant, 'palette', settled),
    enabled: open,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const params = { path: { tenant }, query: { contains: settled || undefined, limit: MOST } };
      const [pipelines, connections] = await Promise.all([
        answer(api.GET('/v1/tenants/{tenant}/pipelines', { params, signal })),
        answer(api.GET('/v1/tenants/{tenant}/connections', { params, signal })),
      ]);
      return { pipelines: pipelines.items, connections: connections.items };
    },
  });
  const waiting = open && (settled !== wanted || found.isPending || found.isPlaceholderData);
  const pages = PLACES.filter(place => !place.needs || here.may(place.needs)).map(place => ({
    id: place.to,
    label: place.label,
    leftSection: <place.icon size={18} aria-hidden />,
    onClick: () => void navigate({ to: place.to, params: { tenant } }),
  }));
  const pipelines = (found.data?.pipelines ?? []).map(pipeline => ({
    id: pipeline.id,
    label: pipeline.name,
    leftSection: <IconRoute size={18} aria-hidden />,
    onClick: () => void navigate({ to: '/t/$tenant/pipelines/$pipeline', params: { tenant, pipeline: pipeline.id } }),
  }));
  const connections = (found.data?.connections ?? []).map(connection => ({
    id: connection.id,
    label: connection.name,
    leftSection: <IconPlug size={18} aria-hidden />,
    onClick: () =>
      void navigate({ to: '/t/$tenant/connections/$connection', params: { tenant, connection: connection.id } }),
  }));
  const contains = ({ label }: { label: string }) => label.toLocaleLowerCase().includes(wanted.toLocaleLowerCase());
  const groups = [
    { group: t.shell.pages, actions: pages.filter(contains) },
    { group: t.shell.nav.pipelines, actions: pipelines.filter(contains) },
    { group: t.shell.nav.connections, actions: connections.filter(contains) },
  ].filter(({ actions }) => actions.length > 0);
  const first = groups.flatMap(({ actions }) => actions)[0];
  useEffect(() => {
    if (waiting || confirmed === undefined) return;
    confirm(undefined);
    if (confirmed !== wanted || !first) return;
    spotlight.close();
    first.onClick();
  });
  return (
    <Spotlight
      store={store}
      shortcut={null}
      query={typed}
      onQueryChange={type}
      onSpotlightOpen={() => setOpen(true)}
      onSpotlightClose={() => {
        setOpen(false);
        confirm(undefined);
      }}
      actions={groups}
      filter={(_, actions) => actions}
      scrollable
      maxHeight="60dvh"
      nothingFound={waiting ? t.shell.searching : t.shell.nothingFound}
      searchProps={{
        leftSection: <IconSearch size={18} aria-hidden />,
        placeholder: t.shell.searchHint,
        'aria-label': t.shell.searchHint,
        onKeyDown: event => {
          if (event.key === 'Enter' && waiting && !first) confirm(wanted);
        },
      }}
    />
  );
}
