export const who = {
  formerMember: 'Somebody who is not a member any more',
  run: 'A run',
  token: (id: string) => `API token ${id}`,
  others: { schedule: 'A schedule', host: 'The service', operator: 'The operator' } as Record<string, string>,
};
