import { createFileRoute, notFound, redirect } from '@tanstack/react-router';
import { Shell } from '~/app/shell/Shell';
import { meQuery, rememberTenant } from '~/session/session';

export const Route = createFileRoute('/t/$tenant')({
  beforeLoad: async ({ context: { client }, params, location }) => {
    const me = await client.ensureQueryData(meQuery);
    if (me === null) throw redirect({ to: '/sign-in', search: { next: location.href } });
    if (!me.tenants.some(tenant => tenant.id === params.tenant)) throw notFound({ routeId: '__root__' });
    rememberTenant(params.tenant);
  },
  component: Shell,
});
