import { Button, Code, Group, Stack, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { answer, api, tagged } from '~/api/client';
import { key } from '~/api/query';
import { meQuery, useHere } from '~/session/session';
import { t } from '~/texts';
import { Copy } from '~/ui/Copy';
import { FactList } from '~/ui/FactList';
import { useSendForm } from '~/ui/form';
import { Loaded } from '~/ui/Loaded';
import { Panel } from '~/ui/Panel';
import { ProblemAlert } from '~/ui/Problem';
import { At } from '~/ui/Time';

export function TenantPanel() {
  const { tenant, may } = useHere();
  const query = useQuery({
    queryKey: key(tenant, 'tenant'),
    queryFn: () => tagged(api.GET('/v1/tenants/{tenant}', { params: { path: { tenant } } })),
  });
  return (
    <Panel title={t.settings.tenant}>
      <Loaded query={query}>
        {({ data, tag }) => (
          <Stack>
            {may('tenant-write') && <Rename key={tag} name={data.name} tag={tag} />}
            <FactList
              facts={[
                [t.settings.name, may('tenant-write') ? undefined : data.name],
                [t.settings.made, <At key="made" at={data.created_at} />],
                [
                  t.settings.id,
                  <Group key="id" gap={4} wrap="nowrap">
                    <Code className="wrap-anywhere">{data.id}</Code>
                    <Copy value={data.id} />
                  </Group>,
                ],
              ]}
            />
          </Stack>
        )}
      </Loaded>
    </Panel>
  );
}

function Rename({ name, tag }: { name: string; tag: string }) {
  const { tenant } = useHere();
  const client = useQueryClient();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { name },
    send: async body => {
      const params = { path: { tenant }, header: { 'If-Match': tag } };
      await answer(api.PATCH('/v1/tenants/{tenant}', { params, body }));
      await Promise.all([
        client.invalidateQueries({ queryKey: key(tenant, 'tenant') }),
        client.invalidateQueries({ queryKey: meQuery.queryKey }),
      ]);
      notifications.show({ message: t.settings.renamed, color: 'green' });
    },
  });
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {problem !== null && <ProblemAlert error={problem} compact />}
        <Group align="flex-end">
          <TextInput label={t.settings.name} required maxLength={100} flex={1} {...form.getInputProps('name')} />
          <Button type="submit" loading={busy} disabled={!form.isDirty()}>
            {t.common.save}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
