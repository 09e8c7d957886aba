export const audit = {
  title: 'Audit log',
  lead: 'Every change, by whom, from where and when. Nothing in it can be changed or deleted.',
  export: 'Export',
  exportHint: 'One JSON object per line, the oldest first.',
  search: 'Filter by action, object, person or address',
  columns: { at: 'When', actor: 'Who', action: 'Action', object: 'Object', address: 'From', detail: 'Details' },
  show: 'Show',
  detailOf: (number: string) => `Entry ${number}`,
  none: 'No entry matches',
  noneHint: (count: string) => `The filter has looked at the newest ${count} entries. The export has all of them.`,
  empty: 'Nothing has been changed yet',
  looked: (found: string, all: string) => `${found} of the newest ${all} entries`,
};
