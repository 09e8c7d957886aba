export const connections = {
  title: 'Connections',
  lead: 'Sources that Sluice may read, each with its own credentials.',
  make: 'New connection',
  columns: { name: 'Name', connector: 'Connector', secrets: 'Secrets', changed: 'Changed' },
  empty: 'No connections yet',
  emptyHint:
    'A connection tells Sluice where a source is and how to log in. Its secrets are sealed before they are stored and never shown again.',
};
