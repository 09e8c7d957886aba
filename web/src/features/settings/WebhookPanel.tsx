import { Button, Group, Modal, NumberInput, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api, tagged } from '~/api/client';
import { key } from '~/api/query';
import { minute } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { ShownOnce } from '~/ui/Copy';
import { FactList } from '~/ui/FactList';
import { useSendForm } from '~/ui/form';
import { Loaded } from '~/ui/Loaded';
import { Panel } from '~/ui/Panel';
import { ProblemAlert } from '~/ui/Problem';
import { At } from '~/ui/Time';

/** The secret that signs webhooks: since when there is it, and how it is replaced without losing one. */
export function WebhookPanel() {
  const { tenant } = useHere();
  const subject = key(tenant, 'webhook-secret');
  const query = useQuery({
    queryKey: subject,
    queryFn: () => tagged(api.GET('/v1/tenants/{tenant}/webhook-secret', { params: { path: { tenant } } })),
  });
  const [opened, { open, close }] = useDisclosure();
  const end = useAct({
    run: (tag: string) =>
      answer(
        api.DELETE('/v1/tenants/{tenant}/webhook-secret/previous', {
          params: { path: { tenant }, header: { 'If-Match': tag } },
        }),
      ),
    stale: [subject],
    said: t.settings.endedPrevious,
  });
  return (
    <Panel title={t.settings.webhook} hint={t.settings.webhookHint}>
      <Loaded query={query}>
        {({ data, tag }) => (
          <Stack>
            {data.created_at ? (
              <FactList
                facts={[
                  [t.settings.since, <At key="since" at={data.created_at} />],
                  [t.settings.webhook, data.hint && t.settings.ends(data.hint)],
                ]}
              />
            ) : (
              <Text size="sm">{t.settings.none}</Text>
            )}
            {data.previous && (
              <Group>
                <Text size="sm">{t.settings.previous(data.previous.hint, minute(data.previous.ends_at))}</Text>
                <Button size="xs" variant="default" loading={end.isPending} onClick={() => end.mutate(tag)}>
                  {t.settings.endPrevious}
                </Button>
              </Group>
            )}
            <Group>
              <Button variant="default" onClick={open}>
                {t.settings.rotate}
              </Button>
            </Group>
            <Modal opened={opened} onClose={close} title={t.settings.rotate}>
              <Rotate tag={tag} close={close} />
            </Modal>
          </Stack>
        )}
      </Loaded>
    </Panel>
  );
}

function Rotate({ tag, close }: { tag: string; close: () => void }) {
  const { tenant } = useHere();
  const client = useQueryClient();
  const [secret, setSecret] = useState<string>();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { overlap_hours: 24 },
    send: async body => {
      const params = { path: { tenant }, header: { 'If-Match': tag } };
      setSecret((await answer(api.POST('/v1/tenants/{tenant}/webhook-secret', { params, body }))).secret);
      await client.invalidateQueries({ queryKey: key(tenant, 'webhook-secret') });
    },
  });
  if (secret) return <ShownOnce value={secret} hint={t.settings.secret} done={close} />;
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">{t.settings.rotateHint}</Text>
        {problem !== null && <ProblemAlert error={problem} compact />}
        <NumberInput
          label={t.settings.overlap}
          description={t.settings.overlapHint}
          min={0}
          max={168}
          allowDecimal={false}
          required
          data-autofocus
          {...form.getInputProps('overlap_hours')}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t.common.cancel}
          </Button>
          <Button type="submit" loading={busy}>
            {t.settings.rotate}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
