import { createRootRouteWithContext, Outlet } from '@tanstack/react-router';
import type { Context } from '~/app/router';

export const Route = createRootRouteWithContext<Context>()({ component: Outlet });
