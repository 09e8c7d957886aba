import { Alert, Button, Group, Text } from '@mantine/core';
import { answer, api } from '~/api/client';
import { key } from '~/api/query';
import type { ConnectorView } from '~/api/schema.gen';
import { Who } from '~/features/shared/Who';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { Ago } from '~/ui/Time';

/** That this tenant uses an earlier version than all others, why, and the way back. */
export function Held({ connector }: { connector: Pick<ConnectorView, 'name' | 'version' | 'held'> }) {
  const { tenant, may } = useHere();
  const follow = useAct({
    run: () =>
      answer(
        api.POST('/v1/tenants/{tenant}/connectors/{name}/follow', {
          params: { path: { tenant, name: connector.name } },
        }),
      ),
    stale: [key(tenant, 'connectors')],
    said: t.connectors.followed,
  });
  const { held } = connector;
  if (!held) return null;
  return (
    <Alert color="yellow" title={t.connectors.held(connector.version)}>
      <Text size="sm" className="wrap-anywhere">
        {held.reason}
      </Text>
      <Group justify="space-between" mt="xs">
        <Text size="sm" c="dimmed" component="div">
          <Ago at={held.since} /> · <Who id={held.by} />
        </Text>
        {may('connectors-write') && (
          <Button size="xs" variant="default" loading={follow.isPending} onClick={() => follow.mutate()}>
            {t.connectors.follow}
          </Button>
        )}
      </Group>
    </Alert>
  );
}
