// What a table looks like after three runs, as a drawing: the same three days at the source, loaded in both ways.
import { t } from '~/texts';
import classes from './Wizard.module.css';

const DAYS = ['1', '2', '3'];
const SHADES = ['var(--mantine-color-water-3)', 'var(--mantine-color-water-5)', 'var(--mantine-color-water-7)'];
const INK = 'var(--mantine-color-text)';
const DIM = 'var(--mantine-color-dimmed)';

function Cell({ x, y, run, words }: { x: number; y: number; run: number; words: string }) {
  return (
    <g>
      <rect x={x} y={y} width={104} height={18} rx={3} fill={SHADES[run]} />
      <text
        x={x + 8}
        y={y + 13}
        fontSize={10}
        fill={run === 0 ? 'var(--mantine-color-black)' : 'var(--mantine-color-white)'}
      >
        {words}
      </text>
    </g>
  );
}

/** Each run adds what is new: three runs, one table that grows. */
function Transactional() {
  const rows = [[`A · 10`, `B · 20`], [`C · 30`], [`A · 15`, `D · 40`]];
  let line = 0;
  return (
    <>
      {rows.map((added, run) =>
        added.map(words => {
          const y = 26 + 22 * line++;
          return (
            <g key={words}>
              <Cell x={150} y={y} run={run} words={words} />
              <text x={138} y={y + 13} fontSize={10} textAnchor="end" fill={DIM}>
                {t.wizard.load.run(DAYS[run] ?? '')}
              </text>
              <path d={`M 140 ${y + 9} h 8`} stroke={DIM} />
            </g>
          );
        }),
      )}
    </>
  );
}

/** Each day has the whole source as it was, in a partition of its own. */
function Catalog() {
  const days = [
    ['A · 10', 'B · 20'],
    ['A · 10', 'B · 20', 'C · 30'],
    ['A · 15', 'B · 20', 'C · 30', 'D · 40'],
  ];
  return (
    <>
      {days.map((rows, run) => {
        const x = 14 + run * 122;
        return (
          <g key={DAYS[run]}>
            <rect x={x - 6} y={24} width={116} height={98} rx={5} fill="none" stroke={DIM} strokeDasharray="3 3" />
            <text x={x} y={18} fontSize={10} fill={DIM}>
              {t.wizard.load.day(DAYS[run] ?? '')}
            </text>
            {rows.map((words, line) => (
              <Cell key={words} x={x} y={30 + 22 * line} run={run} words={words} />
            ))}
          </g>
        );
      })}
    </>
  );
}

export function Picture({ of }: { of: 'transactional' | 'catalog' }) {
  const said = of === 'catalog' ? t.wizard.load.pictureCatalog : t.wizard.load.pictureTransactional;
  return (
    <svg viewBox="0 0 380 144" className={classes.picture} role="img" aria-label={said} fill={INK}>
      {of === 'catalog' ? <Catalog /> : <Transactional />}
    </svg>
  );
}
