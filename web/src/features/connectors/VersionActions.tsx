import { Button, Checkbox, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api } from '~/api/client';
import { key } from '~/api/query';
import type { VersionView } from '~/api/schema.gen';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { ProblemAlert } from '~/ui/Problem';
import { connectorQuery } from './queries';
import { versionQuery } from './versions';

type Step = 'approve' | 'reject' | 'yank';

/** What can be decided about a version, by whoever decides about connectors. */
export function VersionActions({ version }: { version: VersionView }) {
  const { may } = useHere();
  const [step, open] = useState<Step>();
  if (!may('connectors-write') || version.origin !== 'tenant') return null;
  const again = version.state === 'replaced';
  return (
    <>
      {(version.state === 'valid' || again) && <Button onClick={() => open('approve')}>{t.versions.approve}</Button>}
      {version.state === 'valid' && (
        <Button variant="default" onClick={() => open('reject')}>
          {t.versions.reject}
        </Button>
      )}
      {(version.state === 'installed' || again) && (
        <Button variant="default" onClick={() => open('yank')}>
          {t.versions.yank}
        </Button>
      )}
      <Modal opened={step !== undefined} onClose={() => open(undefined)} title={step && t.versions[step]}>
        {step === 'approve' && <Approve version={version} close={() => open(undefined)} />}
        {(step === 'reject' || step === 'yank') && (
          <Refuse version={version} step={step} close={() => open(undefined)} />
        )}
      </Modal>
    </>
  );
}

function Approve({ version, close }: { version: VersionView; close: () => void }) {
  const { tenant } = useHere();
  const otherKey = version.signed_by && version.publisher_key && version.signed_by !== version.publisher_key;
  const [pin, setPin] = useState(false);
  const [untried, setUntried] = useState(false);
  const approve = useAct({
    run: () => {
      const params = { path: { tenant, sha256: version.sha256 } };
      const body = {
        permissions: version.permissions_digest,
        pin: pin ? version.signed_by : undefined,
        without_trial: untried,
      };
      return answer(api.POST('/v1/tenants/{tenant}/connector-versions/{sha256}/approve', { params, body }));
    },
    stale: [key(tenant, 'connectors')],
    said: t.versions.approved,
    quiet: true,
    done: close,
  });
  return (
    <Stack>
      {approve.error && <ProblemAlert error={approve.error} />}
      <Text size="sm">{t.versions.approveHint}</Text>
      {otherKey && (
        <Checkbox label={t.versions.pin} checked={pin} onChange={event => setPin(event.currentTarget.checked)} />
      )}
      {version.difference && (
        <Checkbox
          label={t.versions.withoutTrial}
          checked={untried}
          onChange={event => setUntried(event.currentTarget.checked)}
        />
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          {t.common.cancel}
        </Button>
        <Button loading={approve.isPending} onClick={() => approve.mutate()} data-autofocus>
          {t.versions.approve}
        </Button>
      </Group>
    </Stack>
  );
}

function Refuse({ version, step, close }: { version: VersionView; step: 'reject' | 'yank'; close: () => void }) {
  const { tenant } = useHere();
  const [reason, setReason] = useState('');
  const [back, setBack] = useState(true);
  const goes = step === 'yank' && version.state === 'installed';
  const { data: connector } = useQuery({ ...connectorQuery(tenant, version.name), enabled: goes });
  const previous = connector?.previous;
  const { data: before } = useQuery({ ...versionQuery(tenant, previous ?? ''), enabled: goes && Boolean(previous) });
  const params = { path: { tenant, sha256: version.sha256 } };
  const refuse = useAct({
    run: () =>
      step === 'reject'
        ? answer(api.POST('/v1/tenants/{tenant}/connector-versions/{sha256}/reject', { params, body: { reason } }))
        : answer(
            api.POST('/v1/tenants/{tenant}/connector-versions/{sha256}/yank', {
              params,
              body: { reason, go_back: back && Boolean(previous) },
            }),
          ),
    stale: [key(tenant, 'connectors')],
    said: step === 'reject' ? t.versions.rejected : t.versions.yanked,
    quiet: true,
    done: close,
  });
  return (
    <form
      onSubmit={event => {
        event.preventDefault();
        refuse.mutate();
      }}
    >
      <Stack>
        {refuse.error && <ProblemAlert error={refuse.error} />}
        {step === 'yank' && <Text size="sm">{t.versions.yankHint}</Text>}
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
        {goes && (
          <Checkbox
            label={before ? t.versions.goBackTo(before.version) : t.versions.goBack}
            description={previous ? undefined : t.versions.noneBefore}
            disabled={!previous}
            checked={back && Boolean(previous)}
            onChange={event => setBack(event.currentTarget.checked)}
          />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t.common.cancel}
          </Button>
          <Button type="submit" color="red" loading={refuse.isPending}>
            {t.versions[step]}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
