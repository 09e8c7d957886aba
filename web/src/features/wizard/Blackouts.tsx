import { ActionIcon, Button, Checkbox, Fieldset, Group, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { t } from '~/texts';
import { Panel } from '~/ui/Panel';
import { isOnce, turned, WEEK } from './blackout';
import type { Blackout } from './draft';

interface Props {
  value: Blackout[];
  change: (value: Blackout[] | undefined) => void;
  /** What the service refuses of one of them, by its place. */
  problem: (at: number) => string | undefined;
}

/** Windows in which no scheduled run starts. */
export function Blackouts({ value, change, problem }: Props) {
  const words = t.wizard.blackouts;
  const set = (next: Blackout[]) => change(next.length > 0 ? next : undefined);
  return (
    <Panel title={words.title} hint={words.hint}>
      <Stack>
        {value.map((blackout, index) => (
          <Window
            // biome-ignore lint/suspicious/noArrayIndexKey: a window is its place
            key={index}
            number={index + 1}
            value={blackout}
            change={next => set(value.map((one, at) => (at === index ? next : one)))}
            remove={() => set(value.filter((_, at) => at !== index))}
            problem={problem(index)}
          />
        ))}
        {value.length === 0 && <Text c="dimmed">{words.none}</Text>}
        <Group>
          <Button
            variant="default"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => set([...value, { from: '22:00', to: '06:00' }])}
          >
            {words.add}
          </Button>
        </Group>
      </Stack>
    </Panel>
  );
}

interface WindowProps {
  number: number;
  value: Blackout;
  change: (value: Blackout) => void;
  remove: () => void;
  problem: string | undefined;
}

function Window({ number, value, change, remove, problem }: WindowProps) {
  const words = t.wizard.blackouts;
  const once = isOnce(value);
  const type = once ? 'datetime-local' : 'time';
  return (
    <Fieldset legend={words.window(number)}>
      <Stack>
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <SegmentedControl
            aria-label={words.how}
            data={[
              { value: 'weekly', label: words.weekly },
              { value: 'once', label: words.once },
            ]}
            value={once ? 'once' : 'weekly'}
            onChange={to => change(turned(value, to === 'once', new Date()))}
          />
          <ActionIcon variant="subtle" color="gray" aria-label={words.remove(number)} onClick={remove}>
            <IconTrash size={16} aria-hidden />
          </ActionIcon>
        </Group>
        <Group align="flex-start">
          <TextInput
            type={type}
            label={words.from}
            value={value.from}
            error={problem}
            onChange={event => change({ ...value, from: event.currentTarget.value })}
          />
          <TextInput
            type={type}
            label={words.to}
            value={value.to}
            onChange={event => change({ ...value, to: event.currentTarget.value })}
          />
          <TextInput
            label={words.reason}
            value={value.reason ?? ''}
            maxLength={200}
            onChange={event => change({ ...value, reason: event.currentTarget.value || undefined })}
            w={260}
          />
        </Group>
        {!once && (
          <Checkbox.Group
            label={words.days}
            description={words.daysHint}
            value={value.days ?? []}
            onChange={days =>
              change({ ...value, days: days.length > 0 ? WEEK.filter(day => days.includes(day)) : undefined })
            }
          >
            <Group mt="xs" gap="md">
              {WEEK.map((day, index) => (
                <Checkbox key={day} value={day} label={t.wizard.schedule.weekdays[index]} />
              ))}
            </Group>
          </Checkbox.Group>
        )}
      </Stack>
    </Fieldset>
  );
}
