export const pipelines = {
  title: 'Pipelines',
  lead: 'Each reads streams of a connection and loads them into tables.',
  search: 'Search by name',
  make: 'New pipeline',
  columns: {
    name: 'Name',
    schedule: 'Schedule',
    streams: 'Streams',
    connection: 'Connection',
    sink: 'Sink',
    changed: 'Changed',
  },
  off: 'Off',
  offHint: 'Its schedule is not followed',
  byHand: 'By hand only',
  empty: 'No pipelines yet',
  emptyHint:
    'A pipeline takes streams from a connection – tables, queries, files – and loads them on a schedule, so that every row is accounted for.',
  emptySearch: 'No pipeline has such a name',
  emptySearchHint: 'The search looks at the beginning of names. Try fewer letters.',
};
