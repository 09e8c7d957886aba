import { useSuspenseQuery } from '@tanstack/react-query';
import { useHere } from '~/session/session';
import { Page } from '~/ui/Page';
import { pipelineQuery } from './queries';

export function PipelinePage({ id }: { id: string; tab: string; open: (tab: string) => void }) {
  const { tenant } = useHere();
  const { data } = useSuspenseQuery(pipelineQuery(tenant, id));
  return <Page title={data.name}>{null}</Page>;
}
