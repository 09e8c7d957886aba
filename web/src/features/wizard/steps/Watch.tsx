import {
  ActionIcon,
  Button,
  Checkbox,
  Fieldset,
  Group,
  MultiSelect,
  NumberInput,
  Select,
  Stack,
  TagsInput,
  Text,
  TextInput,
} from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { t } from '~/texts';
import { Panel } from '~/ui/Panel';
import { isObject } from '~/ui/schema-form/secrets';
import { type Check, columnsOf, type Notify, type Stream } from '../draft';
import { changeStream, type StepProps } from '../parts';
import classes from '../Wizard.module.css';

const EVENTS = ['failure', 'recovery', 'schema-change', 'quality-warning', 'zero-rows', 'quota-risk', 'success'];
const USUAL = EVENTS.filter(event => event !== 'success');
const RULES = ['rows', 'not_null', 'unique', 'accepted', 'fresh'] as const;
type Rule = (typeof RULES)[number];

/** Whom to tell of what, and what must hold of the rows. */
export function Watch(props: StepProps) {
  return (
    <Stack gap="lg">
      <Notifications {...props} />
      <Checks {...props} />
    </Stack>
  );
}

function Notifications({ draft, kept }: StepProps) {
  const rules = draft.definition.notify ?? [];
  const set = (next: Notify[]) =>
    kept.change(before => ({
      ...before,
      definition: { ...before.definition, notify: next.length > 0 ? next : undefined },
    }));
  const change = (at: number, rule: Notify) => set(rules.map((one, index) => (index === at ? rule : one)));
  return (
    <Panel title={t.wizard.watch.notify} hint={t.wizard.watch.notifyHint}>
      <Stack>
        {rules.map((rule, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a rule is its place
          <Fieldset key={index} legend={rule.email ? t.wizard.watch.email : t.wizard.watch.webhook}>
            <Group align="flex-start" wrap="nowrap">
              <Stack className={classes.grow}>
                {rule.email ? (
                  <TagsInput
                    label={t.wizard.watch.addresses}
                    description={t.wizard.watch.addressesHint}
                    value={rule.email}
                    onChange={email => change(index, { ...rule, email })}
                    splitChars={[',', ' ', ';']}
                    acceptValueOnBlur
                    error={rule.email.length === 0 ? t.schemaForm.missing : undefined}
                  />
                ) : (
                  <TextInput
                    type="url"
                    label={t.wizard.watch.address}
                    placeholder="https://hooks.example.com/load"
                    value={rule.webhook ?? ''}
                    onChange={event => change(index, { ...rule, webhook: event.currentTarget.value })}
                    error={rule.webhook ? undefined : t.schemaForm.missing}
                  />
                )}
                <Checkbox.Group
                  label={t.wizard.watch.on}
                  value={rule.on ?? USUAL}
                  onChange={on => change(index, { ...rule, on })}
                >
                  <Group mt="xs" gap="md">
                    {EVENTS.map(event => (
                      <Checkbox key={event} value={event} label={t.wizard.watch.events[event] ?? event} />
                    ))}
                  </Group>
                </Checkbox.Group>
              </Stack>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t.wizard.watch.removeRule(index + 1)}
                onClick={() => set(rules.filter((_, other) => other !== index))}
              >
                <IconTrash size={16} aria-hidden />
              </ActionIcon>
            </Group>
          </Fieldset>
        ))}
        {rules.length === 0 && <Text c="dimmed">{t.wizard.watch.nobody}</Text>}
        <Group>
          <Button
            variant="default"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => set([...rules, { email: [] }])}
          >
            {t.wizard.watch.addEmail}
          </Button>
          <Button
            variant="default"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => set([...rules, { webhook: '' }])}
          >
            {t.wizard.watch.addWebhook}
          </Button>
        </Group>
      </Stack>
    </Panel>
  );
}

function Checks(props: StepProps) {
  const { draft, kept, seen } = props;
  const { streams } = draft.definition;
  const [at, goTo] = useState(streams[0]?.id ?? '');
  const stream = streams.find(one => one.id === at) ?? streams[0];
  if (!stream) return null;
  const names = seen.get(stream.id)?.columns.map(column => column.name) ?? stream.columns ?? [];
  const columns = columnsOf(stream, names).map(name => stream.rename?.[name] ?? name);
  const checks = stream.checks ?? [];
  const set = (next: Check[]) =>
    changeStream(kept, stream.id, before => ({ ...before, checks: next.length > 0 ? next : undefined }));
  const key = seen.get(stream.id)?.primary_key ?? [];
  const begin: Record<Rule, unknown> = {
    rows: { min: 1 },
    not_null: key.length > 0 ? key : columns.slice(0, 1),
    unique: key.length > 0 ? key : columns.slice(0, 1),
    accepted: { column: columns[0] ?? '', values: [] },
    fresh: { column: columns[0] ?? '', max_age_minutes: 1440 },
  };
  return (
    <Panel title={t.wizard.watch.checks} hint={t.wizard.watch.checksHint}>
      <Stack>
        <Select
          label={t.wizard.watch.checksOf}
          data={streams.map(one => one.id)}
          value={stream.id}
          onChange={next => next && goTo(next)}
          searchable
          limit={200}
          allowDeselect={false}
          maw={420}
        />
        {checks.map((check, index) => (
          <CheckOf
            // biome-ignore lint/suspicious/noArrayIndexKey: a check is its place
            key={index}
            check={check}
            columns={columns}
            stream={stream}
            change={next => set(checks.map((one, other) => (other === index ? next : one)))}
            remove={() => set(checks.filter((_, other) => other !== index))}
          />
        ))}
        <Group>
          {RULES.map(rule => (
            <Button
              key={rule}
              size="xs"
              variant="default"
              leftSection={<IconPlus size={14} aria-hidden />}
              onClick={() => set([...checks, { [rule]: begin[rule] }])}
            >
              {t.wizard.watch.rules[rule]}
            </Button>
          ))}
        </Group>
      </Stack>
    </Panel>
  );
}

function CheckOf({
  check,
  columns,
  change,
  remove,
}: {
  check: Check;
  columns: string[];
  stream: Stream;
  change: (check: Check) => void;
  remove: () => void;
}) {
  const rule = RULES.find(one => one in check) ?? 'rows';
  const said = check[rule];
  const of = isObject(said) ? said : {};
  const set = (value: unknown) => change({ ...check, [rule]: value });
  const amount = (name: string, label: string) => (
    <NumberInput
      label={label}
      min={0}
      value={typeof of[name] === 'number' ? (of[name] as number) : ''}
      onChange={value => set({ ...of, [name]: value === '' ? undefined : Number(value) })}
      thousandSeparator
      w={160}
    />
  );
  const column = (
    <Select
      label={t.wizard.watch.column}
      data={columns}
      value={typeof of.column === 'string' ? of.column : null}
      searchable
      limit={200}
      allowDeselect={false}
      onChange={next => set({ ...of, column: next ?? '' })}
      w={220}
    />
  );
  return (
    <Fieldset legend={t.wizard.watch.rules[rule]}>
      <Group align="flex-end">
        {rule === 'rows' && (
          <>
            {amount('min', t.wizard.watch.min)}
            {amount('max', t.wizard.watch.max)}
          </>
        )}
        {(rule === 'not_null' || rule === 'unique') && (
          <MultiSelect
            label={t.wizard.watch.columns}
            data={columns}
            value={Array.isArray(said) ? said.map(String) : []}
            searchable
            limit={200}
            onChange={set}
            miw={260}
          />
        )}
        {rule === 'accepted' && (
          <>
            {column}
            <TagsInput
              label={t.wizard.watch.values}
              value={Array.isArray(of.values) ? of.values.map(String) : []}
              onChange={values => set({ ...of, values })}
              acceptValueOnBlur
              miw={260}
            />
          </>
        )}
        {rule === 'fresh' && (
          <>
            {column}
            {amount('max_age_minutes', t.wizard.watch.age)}
          </>
        )}
        <Select
          label={t.wizard.watch.level}
          data={(['fail', 'warn'] as const).map(value => ({ value, label: t.wizard.watch.levels[value] }))}
          value={check.level ?? 'fail'}
          allowDeselect={false}
          onChange={level => change({ ...check, level: level === 'warn' ? 'warn' : undefined })}
          w={220}
        />
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={t.wizard.watch.removeCheck(t.wizard.watch.rules[rule])}
          onClick={remove}
        >
          <IconTrash size={16} aria-hidden />
        </ActionIcon>
      </Group>
    </Fieldset>
  );
}
