export const calendar = {
  title: 'Calendar',
  lead: 'When pipelines run by themselves.',
  zone: (zone: string) => `Times are those of ${zone}.`,
  week: 'Seven days from now',
  more: (count: string) => `and ${count} more`,
  known: 'Each pipeline tells its next ten moments; busy ones fill the first days only.',
  empty: 'No schedule is followed',
  emptyHint: 'Give a pipeline a schedule, and switch it on, to see here when it runs.',
  nothing: 'Nothing',
  today: 'Today',
  whole: (count: string) => `Only the first ${count} pipelines with a schedule are shown.`,
};
