import { useSuspenseQuery } from '@tanstack/react-query';
import { useHere } from '~/session/session';
import { Page } from '~/ui/Page';
import { connectionQuery } from './queries';

export function ConnectionPage({ id }: { id: string }) {
  const { tenant } = useHere();
  const { data } = useSuspenseQuery(connectionQuery(tenant, id));
  return <Page title={data.name}>{null}</Page>;
}
