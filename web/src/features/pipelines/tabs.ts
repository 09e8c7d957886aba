/** The parts of a pipeline's page, as its address names them. */
export const TABS = ['overview', 'streams', 'runs', 'state', 'revisions', 'definition'] as const;
export type Tab = (typeof TABS)[number];
