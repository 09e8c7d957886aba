import { Alert, Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconArrowBackUp, IconArrowRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api } from '~/api/client';
import { key } from '~/api/query';
import type { ConnectorView, VersionView } from '~/api/schema.gen';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { FactList } from '~/ui/FactList';
import { Loaded } from '~/ui/Loaded';
import { ProblemAlert } from '~/ui/Problem';
import { At } from '~/ui/Time';
import { Findings } from './Findings';
import { VersionState } from './VersionList';
import { versionQuery } from './versions';

/** Lets runs use the version of before again, where there is one. */
export function GoBack({ connector }: { connector: ConnectorView }) {
  const { may } = useHere();
  const [opened, { open, close }] = useDisclosure();
  if (!connector.previous || !may('connectors-write')) return null;
  return (
    <>
      <Button variant="default" leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={open}>
        {t.versions.rollBack}
      </Button>
      <Modal opened={opened} onClose={close} title={t.versions.rollBackAsk(connector.title)} size="lg">
        <Ask connector={connector} previous={connector.previous} close={close} />
      </Modal>
    </>
  );
}

function Ask({ connector, previous, close }: { connector: ConnectorView; previous: string; close: () => void }) {
  const { tenant } = useHere();
  const before = useQuery(versionQuery(tenant, previous));
  const [reason, setReason] = useState('');
  const back = useAct({
    run: () =>
      answer(
        api.POST('/v1/tenants/{tenant}/connectors/{name}/rollback', {
          params: { path: { tenant, name: connector.name } },
          body: { from: connector.sha256, reason },
        }),
      ),
    stale: [key(tenant, 'connectors')],
    said: now => t.versions.rolledBack(now.version),
    quiet: true,
    done: close,
  });
  return (
    <Loaded query={before}>
      {to => (
        <form
          onSubmit={event => {
            event.preventDefault();
            back.mutate();
          }}
        >
          <Stack>
            {back.error && <ProblemAlert error={back.error} />}
            <FromTo from={connector.version} to={to} />
            {to.state === 'yanked' && (
              <Alert color="red">
                {t.versions.beforeYanked} {to.reason}
              </Alert>
            )}
            <Text size="sm">{t.versions.rollBackHint}</Text>
            <Textarea
              label={t.versions.reason}
              required
              maxLength={500}
              autosize
              minRows={2}
              value={reason}
              onChange={event => setReason(event.currentTarget.value)}
              data-autofocus
            />
            <Found version={to} />
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                {t.common.cancel}
              </Button>
              <Button type="submit" loading={back.isPending} disabled={to.state === 'yanked' || reason.trim() === ''}>
                {t.versions.rollBackTo(to.version)}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Loaded>
  );
}

function FromTo({ from, to }: { from: string; to: VersionView }) {
  return (
    <Stack gap="xs">
      <Group gap="sm" aria-label={t.versions.fromTo(from, to.version)} role="img">
        <Text fw={600}>{t.connectors.version(from)}</Text>
        <IconArrowRight size={18} aria-hidden />
        <Text fw={600}>{t.connectors.version(to.version)}</Text>
      </Group>
      <FactList
        facts={[
          [t.versions.columns.state, <VersionState key="state" state={to.state} />],
          [t.versions.columns.at, <At key="at" at={to.uploaded_at} />],
          [t.versions.decided, to.decided_at && <At at={to.decided_at} />],
        ]}
      />
    </Stack>
  );
}

/** What is known of the version that one goes back to. */
function Found({ version }: { version: VersionView }) {
  return (
    <details>
      <summary>{t.versions.foundOf(version.version)}</summary>
      <Stack mt="sm">
        <Findings title={t.versions.report} findings={version.report} />
        {version.trial && <Findings title={t.versions.trial} findings={version.trial} />}
      </Stack>
    </details>
  );
}
