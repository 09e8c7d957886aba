import { Avatar } from '@mantine/core';
import type { ConnectorView } from '~/api/schema.gen';

/** The connector's own icon, or the first letters of its title. Only pictures within the data are shown: none are fetched. */
export function ConnectorIcon({
  connector,
  size = 40,
}: {
  connector: Pick<ConnectorView, 'icon' | 'title'>;
  size?: number;
}) {
  const picture = connector.icon?.startsWith('data:image/') ? connector.icon : undefined;
  const letters = connector.title
    .split(/\s+/)
    .slice(-2)
    .map(word => [...word][0] ?? '')
    .join('')
    .toUpperCase();
  return (
    <Avatar src={picture} alt="" size={size} radius="md" color="water" variant="light" aria-hidden>
      {letters}
    </Avatar>
  );
}
