import '@mantine/core/styles.layer.css';
import '@mantine/notifications/styles.layer.css';
import '@fontsource-variable/inter/wght.css';
import 'virtual:theme.css';
import './app/contrast.css';
import './app/global.css';

import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiError } from './api/problem';
import { createQueryClient } from './api/query';
import { focusOnArrival } from './app/focus';
import { makeRouter } from './app/router';
import { theme } from './app/theme';
import { meQuery } from './session/session';

const client = createQueryClient();
const router = makeRouter(client);
focusOnArrival(router);

/** Whoever is signed out while a page is open comes back to it after signing in again. */
function signedOut(error: unknown): void {
  if (!(error instanceof ApiError) || error.kind !== 'unauthenticated') return;
  if (client.getQueryData(meQuery.queryKey) === null) return;
  client.setQueryData(meQuery.queryKey, null);
  void router.navigate({ to: '/sign-in', search: { next: router.state.location.href, ended: true } });
}
client.getQueryCache().config.onError = signedOut;
client.getMutationCache().config.onError = signedOut;

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
          <Notifications position="bottom-right" limit={4} />
          <RouterProvider router={router} />
        </MantineProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
}
