import type { Finding } from '~/api/schema.gen';
import { CheckSteps } from '~/features/connections/CheckSteps';
import { Panel } from '~/ui/Panel';

/** What was found in a version, or with it. */
export function Findings({ title, findings }: { title: string; findings: Finding[] }) {
  const passed = findings.every(finding => finding.outcome !== 'failed');
  return (
    <Panel title={title}>
      <CheckSteps result={{ passed, steps: findings }} bare />
    </Panel>
  );
}
