import { createFileRoute } from '@tanstack/react-router';
import { Accept } from '~/features/session/Accept';
import { meQuery, providersQuery } from '~/session/session';

export const Route = createFileRoute('/invitation')({
  loader: ({ context: { client } }) =>
    Promise.all([client.ensureQueryData(meQuery), client.ensureQueryData(providersQuery)]),
  component: Accept,
});
