import { createFileRoute, redirect } from '@tanstack/react-router';
import { SignIn } from '~/features/session/SignIn';
import { meQuery, providersQuery, setupQuery } from '~/session/session';

interface Search {
  /** The page to go on with. */
  next?: string;
  ended?: boolean;
}

export const Route = createFileRoute('/sign-in')({
  validateSearch: (search): Search => ({
    next: typeof search.next === 'string' ? search.next : undefined,
    ended: search.ended === true || undefined,
  }),
  beforeLoad: async ({ context: { client }, search }) => {
    if ((await client.ensureQueryData(meQuery)) !== null)
      throw redirect({ to: search.next ? inside(search.next) : '/' });
    if ((await client.ensureQueryData(setupQuery)).needed) throw redirect({ to: '/set-up' });
  },
  loader: ({ context: { client } }) => client.ensureQueryData(providersQuery),
  component: Component,
});

/** Only addresses of these pages: a link must not lead elsewhere after somebody has signed in. */
export function inside(next: string): string {
  return next.startsWith('/') && !next.startsWith('//') && !next.includes('\\') ? next : '/';
}

function Component() {
  const { next, ended } = Route.useSearch();
  return <SignIn next={next ? inside(next) : '/'} ended={ended} />;
}
