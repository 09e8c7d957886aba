import { expect, test } from 'vitest';
import { after, begun, isOver, type Trying } from './trying';

const tell = (trying: Trying, ...events: [string, unknown][]) =>
  events.reduce((now, [name, data]) => after(now, { name, data }), trying);

test('what the host knows comes first, then the steps, then what they come to', () => {
  const connecting = tell(
    begun(0),
    ['phase', { phase: 'loading' }],
    ['phase', { phase: 'begun' }],
    ['phase', { phase: 'reaching', host: 'db.example.com', port: 5432 }],
  );
  expect([connecting.phase, connecting.hosts, isOver(connecting)]).toEqual(['begun', ['db.example.com:5432'], false]);
  const step = { name: 'connect', outcome: 'passed', detail: '', remedy: '' };
  const done = tell(connecting, ['step', step], ['end', { passed: true, steps: [step] }]);
  expect([done.steps.length, done.result?.passed, isOver(done)]).toEqual([1, true, true]);
});

test('a problem ends it and keeps its words', () => {
  const problem = { type: 'urn:sluice:problem:timeout', title: 't', status: 504, detail: 'too long' };
  const failed = tell(begun(0), ['problem', problem]);
  expect(failed.error).toMatchObject({ kind: 'timeout', message: 'too long' });
  expect(isOver(failed)).toBe(true);
});
