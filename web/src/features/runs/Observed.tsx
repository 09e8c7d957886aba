import { Alert, List, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconColumns3 } from '@tabler/icons-react';
import type { AttemptView, LoadView } from '~/api/schema.gen';
import { number } from '~/format';
import { t } from '~/texts';
import { Name } from '~/ui/Name';

const SHOWN = 20;

/** What was seen of the rows and their columns beside the counts: of the attempt that counts, the last one. */
export function Observed({ attempt }: { attempt: AttemptView | undefined }) {
  const streams = attempt?.streams ?? [];
  const changed = streams.filter(load => load.schema_changes.length > 0);
  const doubted = streams.filter(load => load.findings.length > 0);
  return (
    <>
      {changed.length > 0 && (
        <Alert color="blue" icon={<IconColumns3 aria-hidden />} title={t.runs.schemaChanged}>
          <Stack gap="xs">
            <Streams streams={changed} told={load => load.schema_changes} />
            <Text size="sm">{t.runs.schemaChangedHint}</Text>
          </Stack>
        </Alert>
      )}
      {doubted.length > 0 && (
        <Alert color="yellow" icon={<IconAlertTriangle aria-hidden />} title={t.runs.checksBroken}>
          <Streams streams={doubted} told={load => load.findings} />
        </Alert>
      )}
    </>
  );
}

function Streams({ streams, told }: { streams: LoadView[]; told: (load: LoadView) => string[] }) {
  return (
    <List size="sm" spacing={4}>
      {streams.slice(0, SHOWN).map(load => (
        <List.Item key={load.load}>
          <Name size="sm" fw={600}>
            {load.stream}
          </Name>
          <div className="wrap-anywhere">
            <bdi>{told(load).slice(0, SHOWN).join(' · ')}</bdi>
            {told(load).length > SHOWN && ` ${t.runs.moreChanges(number(told(load).length - SHOWN))}`}
          </div>
        </List.Item>
      ))}
      {streams.length > SHOWN && <List.Item>{t.runs.moreStreams(number(streams.length - SHOWN))}</List.Item>}
    </List>
  );
}
