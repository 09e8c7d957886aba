import { Button, FileButton, Modal, Select, Stack, Switch, Text, Textarea, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { IconFileImport } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { DragEvent } from 'react';
import { answer, api } from '~/api/client';
import { key } from '~/api/query';
import { allConnectionsQuery } from '~/features/connections/queries';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { FormButtons } from '~/ui/FormButtons';
import { useSendForm } from '~/ui/form';
import { ProblemAlert } from '~/ui/Problem';
import { connectorOf, MOST_BYTES } from './pipelineFile';

/** Makes a pipeline of a file, for whoever may make pipelines. */
export function Import() {
  const { may } = useHere();
  const [opened, { open, close }] = useDisclosure();
  if (!may('pipelines-write')) return null;
  return (
    <>
      <Button variant="default" leftSection={<IconFileImport size={16} aria-hidden />} onClick={open}>
        {t.pipelines.importFile}
      </Button>
      <Modal opened={opened} onClose={close} title={t.pipelines.importFile} size="lg">
        <ImportForm close={close} />
      </Modal>
    </>
  );
}

function ImportForm({ close }: { close: () => void }) {
  const { tenant } = useHere();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { yaml: '', connection: '', name: '', enabled: false },
    validate: {
      yaml: text => (text.trim() === '' ? t.schemaForm.missing : null),
      connection: id => (id === '' ? t.schemaForm.missing : null),
    },
    send: async ({ name, ...rest }) => {
      const body = { ...rest, name: name.trim() || undefined };
      const made = await answer(
        api.POST('/v1/tenants/{tenant}/pipelines/import', { params: { path: { tenant } }, body }),
      );
      await client.invalidateQueries({ queryKey: key(tenant, 'pipelines') });
      notifications.show({ message: t.pipelines.imported, color: 'green' });
      await navigate({ to: '/t/$tenant/pipelines/$pipeline', params: { tenant, pipeline: made.id } });
    },
  });
  const { yaml } = form.values;
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <Text size="sm">{t.pipelines.importLead}</Text>
        {problem !== null && <ProblemAlert error={problem} compact />}
        <FileField
          value={yaml}
          change={text => form.setFieldValue('yaml', text)}
          error={form.errors.yaml}
          fail={text => form.setFieldError('yaml', text)}
        />
        <ConnectionField
          yaml={yaml}
          value={form.values.connection}
          change={id => form.setFieldValue('connection', id)}
          error={form.errors.connection}
        />
        <TextInput
          label={t.pipelines.importName}
          description={t.pipelines.importNameHint}
          maxLength={100}
          {...form.getInputProps('name')}
        />
        <Switch label={t.pipelines.enable} {...form.getInputProps('enabled', { type: 'checkbox' })} />
        <FormButtons close={close} busy={busy} action={t.pipelines.importAction} />
      </Stack>
    </form>
  );
}

interface FieldProps {
  value: string;
  change: (value: string) => void;
  error: React.ReactNode;
}

/** The file's text: dropped, chosen or pasted. */
function FileField({ value, change, error, fail }: FieldProps & { fail: (text: string) => void }) {
  const take = async (file: File | null | undefined) => {
    if (!file) return;
    if (file.size > MOST_BYTES) fail(t.pipelines.importTooLarge);
    else change(await file.text());
  };
  const drop = (event: DragEvent) => {
    if (event.dataTransfer.files.length === 0) return;
    event.preventDefault();
    void take(event.dataTransfer.files[0]);
  };
  return (
    <Stack gap="xs" align="flex-start">
      <Textarea
        label={t.pipelines.importText}
        description={t.pipelines.importDrop}
        withAsterisk
        value={value}
        onChange={event => change(event.currentTarget.value)}
        onDrop={drop}
        error={error}
        minRows={6}
        maxRows={14}
        autosize
        spellCheck={false}
        classNames={{ input: 'code-input' }}
        dir="ltr"
        w="100%"
        data-autofocus
      />
      <FileButton accept=".yaml,.yml,application/yaml,text/yaml" onChange={file => void take(file)}>
        {props => (
          <Button {...props} variant="default" size="xs">
            {t.pipelines.importChoose}
          </Button>
        )}
      </FileButton>
    </Stack>
  );
}

/** Which connection stands for the file's source: one of the same connector. */
function ConnectionField({ yaml, value, change, error }: FieldProps & { yaml: string }) {
  const { tenant } = useHere();
  const { data } = useQuery(allConnectionsQuery(tenant));
  const [connector, all] = [connectorOf(yaml), data?.items ?? []];
  const fitting = connector === undefined ? all : all.filter(each => each.connector === connector);
  const none = connector !== undefined && data !== undefined && fitting.length === 0;
  return (
    <Select
      label={t.pipelines.importConnection}
      description={connector !== undefined && !none ? t.pipelines.importReads(connector) : undefined}
      data={fitting.map(each => ({ value: each.id, label: each.name }))}
      value={fitting.some(each => each.id === value) ? value : null}
      onChange={id => change(id ?? '')}
      error={none && connector !== undefined ? t.pipelines.importNoConnection(connector) : error}
      disabled={none}
      searchable
      limit={200}
      withAsterisk
    />
  );
}
