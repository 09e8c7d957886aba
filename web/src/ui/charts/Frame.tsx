import { VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Charts.module.css';

export const WIDTH = 640;
export const LEFT = 44;
export const TOP = 8;
export const BOTTOM = 22;

interface Props {
  label: string;
  height: number;
  marks: number[];
  format: (value: number) => string;
  /** What stands below the axis: where, from 0 to 1, and the words. */
  below: { at: number; text: string; anchor?: 'start' | 'middle' | 'end' }[];
  /** The same as a table, for who cannot see the picture. */
  table: ReactNode;
  children: ReactNode;
}

/** The axes of a chart. Direction stays from left to right: it is time. */
export function Frame({ label, height, marks, format, below, table, children }: Props) {
  const most = marks.at(-1) ?? 1;
  const y = (value: number) => TOP + (1 - value / most) * (height - TOP - BOTTOM);
  return (
    <div dir="ltr">
      <svg viewBox={`0 0 ${WIDTH} ${height}`} className={classes.chart} aria-hidden="true">
        {marks.map(mark => (
          <g key={mark}>
            <line x1={LEFT} x2={WIDTH} y1={y(mark)} y2={y(mark)} className={classes.grid} />
            <text x={LEFT - 8} y={y(mark) + 4} textAnchor="end" className={classes.axis}>
              {format(mark)}
            </text>
          </g>
        ))}
        {children}
        {below.map(({ at, text, anchor }) => (
          <text
            key={`${at} ${text}`}
            x={LEFT + at * (WIDTH - LEFT)}
            y={height - 4}
            textAnchor={anchor ?? 'middle'}
            className={classes.axis}
          >
            {text}
          </text>
        ))}
      </svg>
      <VisuallyHidden>
        <table>
          <caption>{label}</caption>
          {table}
        </table>
      </VisuallyHidden>
    </div>
  );
}
