import {
  Code,
  Group,
  List,
  Loader,
  NumberInput,
  Radio,
  Select,
  Stack,
  Switch,
  Table,
  Text,
  TextInput,
} from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError } from '~/api/problem';
import { inZone, minute, ownZone } from '~/format';
import { t } from '~/texts';
import { Panel } from '~/ui/Panel';
import { ProblemAlert } from '~/ui/Problem';
import { Blackouts } from '../Blackouts';
import { withMoments } from '../blackout';
import type { Schedule as Of } from '../draft';
import type { StepProps } from '../parts';
import { schedulePreviewQuery, timeZonesQuery } from '../queries';
import { Retries } from '../Retries';
import { cronOf, PRESETS, type Preset, type Simple, simpleOf } from '../schedule';

/** When it runs by itself: in simple words or as cron, told back in words and moments by the service itself. */
export function Schedule(props: StepProps) {
  const { tenant, draft, kept } = props;
  const schedule = draft.definition.schedule;
  const [simple, setSimple] = useState<Simple>(() => simpleOf(schedule));
  const zones = useQuery(timeZonesQuery);
  const zone = schedule?.time_zone ?? 'UTC';
  const set = (next: Of | undefined) =>
    kept.change(before => ({ ...before, definition: { ...before.definition, schedule: next } }));
  const say = (change: Partial<Simple>) => {
    const next = { ...simple, ...change };
    setSimple(next);
    const cron = cronOf(next, schedule?.cron ?? '0 3 * * *');
    const own = zones.data?.items.includes(ownZone()) ? ownZone() : 'UTC';
    set(cron === undefined ? undefined : { time_zone: own, ...schedule, cron });
  };
  const [settled] = useDebouncedValue(schedule, 350);
  const preview = useQuery({ ...schedulePreviewQuery(tenant, settled), enabled: settled !== undefined });
  const field = preview.error instanceof ApiError ? preview.error.field : undefined;
  const problem = (name: string) => (field?.startsWith(`schedule.${name}`) ? preview.error?.message : undefined);
  const atField = ['time_zone', 'jitter_seconds', 'blackouts', ...(simple.preset === 'custom' ? ['cron'] : [])].some(
    problem,
  );
  const { preset } = simple;
  return (
    <Stack gap="lg">
      <Panel>
        <Stack>
          <Radio.Group
            label={t.wizard.schedule.title}
            value={preset}
            onChange={value => say({ preset: value as Preset })}
          >
            <Group mt="xs" gap="lg">
              {PRESETS.map(value => (
                <Radio key={value} value={value} label={t.wizard.schedule.presets[value]} />
              ))}
            </Group>
          </Radio.Group>
          {preset === 'none' && <Text c="dimmed">{t.wizard.schedule.noneHint}</Text>}
          {schedule && (
            <Group align="flex-start">
              {preset === 'hourly' && (
                <NumberInput
                  label={t.wizard.schedule.minute}
                  min={0}
                  max={59}
                  value={Number(simple.time.split(':')[1])}
                  onChange={value => say({ time: `00:${String(value).padStart(2, '0')}` })}
                  w={140}
                />
              )}
              {['daily', 'weekdays', 'weekly', 'monthly'].includes(preset) && (
                <TextInput
                  type="time"
                  label={t.wizard.schedule.time}
                  value={simple.time}
                  onChange={event => event.currentTarget.value && say({ time: event.currentTarget.value })}
                  w={140}
                />
              )}
              {preset === 'weekly' && (
                <Select
                  label={t.wizard.schedule.weekday}
                  data={t.wizard.schedule.weekdays.map((label, index) => ({ value: String(index + 1), label }))}
                  value={String(simple.weekday)}
                  allowDeselect={false}
                  onChange={value => say({ weekday: Number(value) })}
                  w={180}
                />
              )}
              {preset === 'monthly' && (
                <NumberInput
                  label={t.wizard.schedule.day}
                  min={1}
                  max={28}
                  value={simple.day}
                  onChange={value => say({ day: Number(value) || 1 })}
                  w={140}
                />
              )}
              {preset === 'custom' && (
                <TextInput
                  label={t.wizard.schedule.cron}
                  description={t.wizard.schedule.cronHint}
                  inputWrapperOrder={['label', 'input', 'description', 'error']}
                  value={schedule.cron}
                  ff="monospace"
                  error={problem('cron')}
                  onChange={event => set({ ...schedule, cron: event.currentTarget.value })}
                  w={320}
                />
              )}
              <Select
                label={t.wizard.schedule.zone}
                data={zones.data?.items ?? [zone]}
                value={zone}
                searchable
                limit={100}
                allowDeselect={false}
                error={problem('time_zone')}
                onChange={value => value && set({ ...schedule, time_zone: value })}
                w={260}
              />
            </Group>
          )}
        </Stack>
      </Panel>
      {schedule && (
        <Panel title={t.wizard.schedule.means}>
          <div aria-live="polite">
            {preview.error && !atField && <ProblemAlert error={preview.error} />}
            {preview.isLoading && <Loader size="sm" />}
            {preview.data && !preview.error && (
              <Stack gap="sm">
                <Text fw={600}>{preview.data.description}</Text>
                <Table w="auto">
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>{t.wizard.schedule.there(zone)}</Table.Th>
                      {zone !== ownZone() && <Table.Th>{t.wizard.schedule.here(ownZone())}</Table.Th>}
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {preview.data.next.map(moment => (
                      <Table.Tr key={moment.at}>
                        <Table.Td>
                          {inZone(moment.at, zone)}{' '}
                          <Text span size="xs" c="dimmed">
                            UTC{moment.offset === '+00' ? '' : moment.offset}
                          </Text>
                        </Table.Td>
                        {zone !== ownZone() && <Table.Td>{minute(moment.at)}</Table.Td>}
                      </Table.Tr>
                    ))}
                  </Table.Tbody>
                </Table>
                {preview.data.next.length === 0 && <Text c="red">{t.wizard.schedule.never}</Text>}
              </Stack>
            )}
          </div>
        </Panel>
      )}
      {schedule && (
        <Panel title={t.wizard.schedule.rules}>
          <div className="halves">
            <Select
              label={t.wizard.schedule.overlap}
              data={['skip', 'queue', 'cancel-previous'].map(value => ({
                value,
                label: t.wizard.schedule.overlaps[value] ?? value,
              }))}
              value={schedule.overlap ?? 'skip'}
              allowDeselect={false}
              onChange={value => set({ ...schedule, overlap: value === 'skip' ? undefined : (value ?? undefined) })}
            />
            <CatchUp schedule={schedule} set={set} />
            <NumberInput
              label={t.wizard.schedule.jitter}
              description={t.wizard.schedule.jitterHint}
              inputWrapperOrder={['label', 'input', 'description', 'error']}
              min={0}
              max={86_400}
              value={schedule.jitter_seconds ?? 0}
              error={problem('jitter_seconds')}
              onChange={value => set({ ...schedule, jitter_seconds: Number(value) || undefined })}
            />
            <Switch
              label={t.wizard.schedule.enabled}
              description={t.wizard.schedule.enabledHint}
              checked={draft.enabled}
              onChange={event => {
                const enabled = event.currentTarget.checked;
                kept.change(before => ({ ...before, enabled }));
              }}
            />
          </div>
        </Panel>
      )}
      {schedule && (
        <Blackouts
          value={(schedule.blackouts ?? []).map(withMoments)}
          change={blackouts => set({ ...schedule, blackouts })}
          problem={at => problem(`blackouts[${at}]`)}
        />
      )}
      <Retries {...props} />
      {schedule && preset === 'custom' && (
        <List size="sm" c="dimmed" spacing={4}>
          {t.wizard.schedule.cronExamples.map(([cron, words]) => (
            <List.Item key={cron}>
              <Code>{cron}</Code> {words}
            </List.Item>
          ))}
        </List>
      )}
    </Stack>
  );
}

/** What becomes of moments that passed while the service was down: none, the last, or some of them. */
function CatchUp({ schedule, set }: { schedule: Of; set: (next: Of) => void }) {
  const all = typeof schedule.catch_up === 'object' ? schedule.catch_up.all.max : undefined;
  const way = all === undefined ? (schedule.catch_up ?? 'latest') : 'all';
  const choose = (value: string | null) => {
    const ways: Record<string, Of['catch_up']> = { none: 'none', all: { all: { max: 24 } } };
    set({ ...schedule, catch_up: ways[value ?? ''] });
  };
  return (
    <Group align="flex-start" grow>
      <Select
        label={t.wizard.schedule.catchUp}
        data={['latest', 'none', 'all'].map(value => ({ value, label: t.wizard.schedule.catchUps[value] ?? value }))}
        value={typeof way === 'string' ? way : 'all'}
        allowDeselect={false}
        onChange={choose}
      />
      {all !== undefined && (
        <NumberInput
          label={t.wizard.schedule.catchUpMost}
          min={1}
          max={1_000}
          value={all}
          onChange={value => set({ ...schedule, catch_up: { all: { max: Number(value) || 1 } } })}
        />
      )}
    </Group>
  );
}
