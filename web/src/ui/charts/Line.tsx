import classes from './Charts.module.css';
import { BOTTOM, Frame, LEFT, TOP, WIDTH } from './Frame';
import { path, ticks } from './scale';

export interface Point {
  /** Milliseconds. */
  at: number;
  value: number;
}

interface Props {
  label: string;
  points: Point[];
  format: (value: number) => string;
  time: (at: number) => string;
  height?: number;
}

/** One quantity over time. */
export function Line({ label, points, format, time, height = 160 }: Props) {
  const marks = ticks(Math.max(0, ...points.map(point => point.value)), 3);
  const most = marks.at(-1) ?? 1;
  const [from, to] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 1];
  const x = (at: number) => LEFT + ((at - from) / Math.max(1, to - from)) * (WIDTH - LEFT);
  const y = (value: number) => TOP + (1 - value / most) * (height - TOP - BOTTOM);
  const line = path(points.map(({ at, value }) => [x(at), y(value)]));
  return (
    <Frame
      label={label}
      height={height}
      marks={marks}
      format={format}
      below={[
        { at: 0, text: time(from), anchor: 'start' },
        { at: 1, text: time(to), anchor: 'end' },
      ]}
      table={
        <tbody>
          {points.slice(-20).map(({ at, value }) => (
            <tr key={at}>
              <th scope="row">{time(at)}</th>
              <td>{format(value)}</td>
            </tr>
          ))}
        </tbody>
      }
    >
      {points.length > 1 && (
        <path d={`${line}L${x(to).toFixed(1)} ${y(0)}L${x(from).toFixed(1)} ${y(0)}Z`} className={classes.area} />
      )}
      <path d={line} className={classes.line} />
    </Frame>
  );
}
