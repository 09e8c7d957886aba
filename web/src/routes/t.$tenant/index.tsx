import { createFileRoute } from '@tanstack/react-router';
import { HomePage } from '~/features/home/HomePage';
import { summaryQuery } from '~/features/home/queries';

export const Route = createFileRoute('/t/$tenant/')({
  loader: ({ context: { client }, params }) => void client.prefetchQuery(summaryQuery(params.tenant)),
  component: HomePage,
});
