// What to do about a problem, where its own words do not say it already.
import type { ProblemName } from '~/api/problem';

export const problems: {
  titles: Partial<Record<ProblemName, string>>;
  remedies: Partial<Record<ProblemName, string>>;
  field: string;
  stream: string;
  crashed: string;
  crashedRemedy: string;
  reload: string;
  missing: string;
  missingRemedy: string;
  home: string;
  waitSeconds: (seconds: number) => string;
} = {
  titles: { unreachable: 'The service does not answer' },
  remedies: {
    unreachable: 'Nothing is lost. This page tries again by itself.',
    conflict: 'Somebody else changed it since you opened it. Load it again, then make your change.',
    forbidden: 'Ask an administrator of this tenant for a role that allows it.',
    'not-found': 'It may have been deleted, or it belongs to a tenant that you are not a member of.',
    'too-many-requests': 'Wait a little, then try again.',
    unavailable: 'The service is starting or stopping. Try again in a moment.',
    timeout: 'What was begun may still finish. Look before you send it again.',
    internal: 'The service’s log has the details; whoever operates it can look them up.',
  },
  field: 'Field',
  stream: 'Stream',
  crashed: 'This page ran into a defect',
  crashedRemedy:
    'Nothing on the server has changed by it. Load the page again; if it comes back, tell whoever operates Sluice.',
  reload: 'Load the page again',
  missing: 'There is no such page',
  missingRemedy: 'The address may be mistyped, or what it showed is gone.',
  home: 'To the start',
  waitSeconds: seconds => `It may be tried again in ${seconds} seconds.`,
};
