export const home = {
  title: 'Home',
  lead: 'Is my data fresh and right?',
  recent: 'Latest runs',
  all: 'All runs',
};
