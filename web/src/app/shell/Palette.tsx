import '@mantine/spotlight/styles.layer.css';

import { createSpotlight, Spotlight } from '@mantine/spotlight';
import { IconPlug, IconRoute, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { answer, api } from '~/api/client';
import { key } from '~/api/query';
import type { Here } from '~/session/session';
import { t } from '~/texts';
import { PLACES } from '../navigation';

const [store, spotlight] = createSpotlight();

export const openPalette = (): void => spotlight.open();

/** Pages, pipelines and connections by name, from wherever one is. */
export function Palette({ here }: { here: Here }) {
  const navigate = useNavigate();
  const [asked, ask] = useState('');
  const [open, setOpen] = useState(false);
  const { tenant } = here;
  const found = useQuery({
    queryKey: key(tenant, 'palette'),
    enabled: open,
    queryFn: async () => {
      const params = { path: { tenant }, query: { limit: 200 } };
      const [pipelines, connections] = await Promise.all([
        answer(api.GET('/v1/tenants/{tenant}/pipelines', { params })),
        answer(api.GET('/v1/tenants/{tenant}/connections', { params })),
      ]);
      return { pipelines: pipelines.items, connections: connections.items };
    },
  });
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
  return (
    <Spotlight
      store={store}
      shortcut={null}
      query={asked}
      onQueryChange={ask}
      onSpotlightOpen={() => setOpen(true)}
      onSpotlightClose={() => setOpen(false)}
      actions={[
        { group: t.shell.pages, actions: pages },
        { group: t.shell.nav.pipelines, actions: pipelines },
        { group: t.shell.nav.connections, actions: connections },
      ]}
      limit={12}
      scrollable
      maxHeight="60dvh"
      nothingFound={t.shell.nothingFound}
      searchProps={{
        leftSection: <IconSearch size={18} aria-hidden />,
        placeholder: t.shell.searchHint,
        'aria-label': t.shell.searchHint,
      }}
    />
  );
}
