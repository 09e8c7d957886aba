import { Button, Divider, Stack } from '@mantine/core';
import { useSuspenseQuery } from '@tanstack/react-query';
import { providersQuery } from '~/session/session';
import { t } from '~/texts';

/** The identity providers that the operator has set up. They are left for by a navigation, not by a request of the page. */
export function Providers({ invitation }: { invitation?: string }) {
  const { data } = useSuspenseQuery(providersQuery);
  if (data.length === 0) return null;
  const suffix = invitation ? `?invitation=${encodeURIComponent(invitation)}` : '';
  return (
    <Stack>
      <Divider label={t.session.or} />
      {data.map(provider => (
        <Button key={provider.name} component="a" href={`${provider.begin}${suffix}`} variant="default" fullWidth>
          {t.session.with(provider.title)}
        </Button>
      ))}
    </Stack>
  );
}
