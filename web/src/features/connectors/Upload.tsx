import { Button, FileButton, FileInput, Group, Loader, Modal, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconUpload } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { type DragEvent, useState } from 'react';
import { key } from '~/api/query';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { ProblemAlert } from '~/ui/Problem';
import classes from './Upload.module.css';
import { upload } from './versions';

/** Takes a component by drag and drop or from the file dialog, and leads to what was found in it. */
export function Upload() {
  const { tenant, may } = useHere();
  const navigate = useNavigate();
  const [opened, { open, close }] = useDisclosure();
  const [over, setOver] = useState(false);
  const [wrong, setWrong] = useState(false);
  const [signature, setSignature] = useState<File | null>(null);
  const send = useAct({
    run: (component: File) => upload(tenant, component, signature ?? undefined),
    stale: [key(tenant, 'connectors')],
    quiet: true,
    done: version => {
      close();
      void navigate({ to: '/t/$tenant/connector-versions/$sha256', params: { tenant, sha256: version.sha256 } });
    },
  });
  if (!may('connectors-write')) return null;
  const take = (file: File | null | undefined) => {
    if (!file || send.isPending) return;
    setWrong(!file.name.endsWith('.wasm'));
    if (file.name.endsWith('.wasm')) send.mutate(file);
  };
  const dropped = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0]);
  };
  return (
    <>
      <Button leftSection={<IconUpload size={16} aria-hidden />} onClick={open}>
        {t.versions.upload}
      </Button>
      <Modal opened={opened} onClose={close} title={t.versions.upload} size="lg">
        <Stack>
          {send.error && <ProblemAlert error={send.error} />}
          {wrong && (
            <Text c="red" size="sm" role="alert">
              {t.versions.notWasm}
            </Text>
          )}
          <FileInput
            label={t.versions.signature}
            accept=".sig"
            clearable
            value={signature}
            onChange={setSignature}
            disabled={send.isPending}
          />
          <section
            className={classes.drop}
            data-over={over || undefined}
            aria-label={t.versions.drop}
            onDragOver={event => {
              event.preventDefault();
              setOver(true);
            }}
            onDragLeave={() => setOver(false)}
            onDrop={dropped}
          >
            {send.isPending ? (
              <Group role="status">
                <Loader size="sm" />
                <Text>{t.versions.looking}</Text>
              </Group>
            ) : (
              <Stack align="center" gap="sm">
                <Text fw={600}>{t.versions.drop}</Text>
                <FileButton accept=".wasm,application/wasm" onChange={take}>
                  {props => (
                    <Button {...props} variant="default">
                      {t.versions.choose}
                    </Button>
                  )}
                </FileButton>
                <Text size="sm" c="dimmed" ta="center">
                  {t.versions.dropHint}
                </Text>
              </Stack>
            )}
          </section>
        </Stack>
      </Modal>
    </>
  );
}
