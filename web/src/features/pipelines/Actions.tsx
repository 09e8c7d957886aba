import { ActionIcon, Button, Group, Menu, Modal } from '@mantine/core';
import {
  IconCalendarPlus,
  IconCalendarRepeat,
  IconCopy,
  IconCursorText,
  IconDots,
  IconDownload,
  IconPlayerPlay,
  IconTestPipe,
  IconTrash,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { answer, api, ifMatch, once } from '~/api/client';
import { key } from '~/api/query';
import type { PipelineView } from '~/api/schema.gen';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { Confirm } from '~/ui/Confirm';
import { Backfill, RunForDay } from './DayForms';
import { DryRun } from './DryRun';
import { Duplicate, Rename } from './NameForms';

type Dialog = 'day' | 'backfill' | 'dry-run' | 'rename' | 'duplicate' | 'remove';

/** What can be done with a pipeline as a whole. */
export function Actions({ pipeline }: { pipeline: PipelineView }) {
  const { tenant, may } = useHere();
  const navigate = useNavigate();
  const [dialog, open] = useState<Dialog>();
  const close = () => open(undefined);
  const path = { tenant, pipeline: pipeline.id };
  const start = useAct({
    run: () =>
      answer(
        api.POST('/v1/tenants/{tenant}/pipelines/{pipeline}/runs', { params: { path, header: once() }, body: {} }),
      ),
    stale: [key(tenant, 'runs')],
    said: t.pipelines.started,
    done: run => void navigate({ to: '/t/$tenant/runs/$run', params: { tenant, run: run.id } }),
  });
  const remove = useAct({
    run: () =>
      answer(
        api.DELETE('/v1/tenants/{tenant}/pipelines/{pipeline}', {
          params: { path, header: ifMatch(pipeline.revision) },
        }),
      ),
    stale: [key(tenant, 'pipelines', 'list'), key(tenant, 'pipelines', 'all')],
    said: t.pipelines.removed,
    done: () => void navigate({ to: '/t/$tenant/pipelines', params: { tenant } }),
  });
  return (
    <Group gap="xs">
      {may('runs-start') && (
        <Button
          leftSection={<IconPlayerPlay size={16} aria-hidden />}
          loading={start.isPending}
          onClick={() => start.mutate()}
        >
          {t.pipelines.run}
        </Button>
      )}
      <Menu position="bottom-end" width={260}>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label={t.pipelines.runMore}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {may('pipelines-dry-run') && (
            <Menu.Item leftSection={<IconTestPipe size={16} aria-hidden />} onClick={() => open('dry-run')}>
              {t.pipelines.dryRun}
            </Menu.Item>
          )}
          {may('runs-start') && (
            <>
              <Menu.Item leftSection={<IconCalendarPlus size={16} aria-hidden />} onClick={() => open('day')}>
                {t.pipelines.runDay}
              </Menu.Item>
              <Menu.Item leftSection={<IconCalendarRepeat size={16} aria-hidden />} onClick={() => open('backfill')}>
                {t.pipelines.backfill}
              </Menu.Item>
            </>
          )}
          <Menu.Item
            component="a"
            href={`/v1/tenants/${tenant}/pipelines/${pipeline.id}/export`}
            download={`${pipeline.name}.yaml`}
            leftSection={<IconDownload size={16} aria-hidden />}
          >
            {t.pipelines.exportYaml}
          </Menu.Item>
          {may('pipelines-write') && (
            <>
              <Menu.Item leftSection={<IconCursorText size={16} aria-hidden />} onClick={() => open('rename')}>
                {t.pipelines.rename}
              </Menu.Item>
              <Menu.Item leftSection={<IconCopy size={16} aria-hidden />} onClick={() => open('duplicate')}>
                {t.pipelines.duplicate}
              </Menu.Item>
              <Menu.Divider />
              <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => open('remove')}>
                {t.pipelines.remove}
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={dialog === 'day'} onClose={close} title={t.pipelines.runDay}>
        <RunForDay pipeline={pipeline} close={close} />
      </Modal>
      <Modal opened={dialog === 'backfill'} onClose={close} title={t.pipelines.backfillTitle}>
        <Backfill pipeline={pipeline} close={close} />
      </Modal>
      <Modal opened={dialog === 'rename'} onClose={close} title={t.pipelines.renameAction}>
        <Rename pipeline={pipeline} close={close} />
      </Modal>
      <Modal opened={dialog === 'duplicate'} onClose={close} title={t.pipelines.duplicateAction}>
        <Duplicate pipeline={pipeline} close={close} />
      </Modal>
      <Modal opened={dialog === 'dry-run'} onClose={close} title={t.pipelines.dryRun} size="xl">
        <DryRun pipeline={pipeline} />
      </Modal>
      <Confirm
        opened={dialog === 'remove'}
        close={close}
        title={t.pipelines.removeAsk}
        action={t.pipelines.remove}
        confirm={() => remove.mutate()}
        busy={remove.isPending}
        word={pipeline.name}
        danger
      >
        {t.pipelines.removeHint}
      </Confirm>
    </Group>
  );
}
