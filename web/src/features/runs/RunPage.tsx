import { useSuspenseQuery } from '@tanstack/react-query';
import { minute } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { Page } from '~/ui/Page';
import { RunState } from '~/ui/RunState';
import { runQuery } from './queries';

export function RunPage({ id }: { id: string }) {
  const { tenant } = useHere();
  const { data } = useSuspenseQuery(runQuery(tenant, id));
  return (
    <Page title={t.runs.one(minute(data.run.queued_at))} beside={<RunState state={data.run.state} />}>
      {null}
    </Page>
  );
}
