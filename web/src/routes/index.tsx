import { createFileRoute, redirect } from '@tanstack/react-router';
import { NoTenants } from '~/features/session/NoTenants';
import { meQuery, setupQuery, usualTenant } from '~/session/session';

export const Route = createFileRoute('/')({
  beforeLoad: async ({ context: { client } }) => {
    const me = await client.ensureQueryData(meQuery);
    if (me === null) {
      const { needed } = await client.ensureQueryData(setupQuery);
      throw redirect(needed ? { to: '/set-up' } : { to: '/sign-in' });
    }
    const tenant = usualTenant(me);
    if (tenant) throw redirect({ to: '/t/$tenant', params: { tenant: tenant.id }, replace: true });
  },
  component: NoTenants,
});
