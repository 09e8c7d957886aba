import { Code } from '@mantine/core';
import type { AttemptView, RunView } from '~/api/schema.gen';
import { Who } from '~/features/shared/Who';
import { number } from '~/format';
import { t } from '~/texts';
import { FactList } from '~/ui/FactList';
import { Panel } from '~/ui/Panel';
import { At } from '~/ui/Time';
import { Took } from './RunList';

/** When, why and with what a run was made. */
export function Facts({ run, attempt }: { run: RunView; attempt?: AttemptView }) {
  return (
    <Panel title={t.runs.facts}>
      <FactList
        facts={[
          [
            t.runs.startedBy,
            run.cause === 'manual' ? <Who key="who" id={run.requested_by} /> : t.runs.causes[run.cause],
          ],
          [t.runs.scheduledFor, run.scheduled_for && <At at={run.scheduled_for} />],
          [t.runs.snapshotDate, run.snapshot_date],
          [t.runs.queuedAt, <At key="queued" at={run.queued_at} />],
          [t.runs.startedAt, run.started_at && <At at={run.started_at} />],
          [t.runs.endedAt, run.ended_at && <At at={run.ended_at} />],
          [t.runs.took, run.started_at && <Took run={run} />],
          [t.runs.columns.attempts, number(run.attempts)],
          [t.runs.revision, number(run.pipeline_revision)],
          [t.runs.connector, attempt?.connector],
          [t.runs.contract, attempt?.contract],
          [t.runs.digest, attempt && <Code className="wrap-anywhere">{attempt.connector_sha256}</Code>],
        ]}
      />
    </Panel>
  );
}
