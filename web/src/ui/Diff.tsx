import { VisuallyHidden } from '@mantine/core';
import { t } from '~/texts';
import classes from './Diff.module.css';
import { around, diff } from './diff';

const SIGNS = { same: ' ', gone: '−', new: '+' };

/** What changed from one text to another, with a few lines round it. */
export function Diff({ before, after, label }: { before: string; after: string; label: string }) {
  const lines = diff(before, after);
  if (lines.every(line => line.kind === 'same')) return <p>{t.pipelines.same}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section className={classes.diff} aria-label={label} tabIndex={0} dir="ltr">
      {around(lines).map((line, index) =>
        line === undefined ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
          <div key={index} className={classes.cut}>
            …
          </div>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
          <div key={index} className={classes[line.kind]}>
            <span aria-hidden="true">{SIGNS[line.kind]} </span>
            {line.kind !== 'same' && <VisuallyHidden>{t.common.diff[line.kind]}</VisuallyHidden>}
            <bdi>{line.text}</bdi>
          </div>
        ),
      )}
    </section>
  );
}
