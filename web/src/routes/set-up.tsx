import { createFileRoute, redirect } from '@tanstack/react-router';
import { SetUp } from '~/features/session/SetUp';
import { setupQuery } from '~/session/session';

export const Route = createFileRoute('/set-up')({
  beforeLoad: async ({ context: { client } }) => {
    if (!(await client.ensureQueryData(setupQuery)).needed) throw redirect({ to: '/' });
  },
  component: SetUp,
});
