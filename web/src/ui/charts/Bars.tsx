import classes from './Charts.module.css';
import { BOTTOM, Frame, LEFT, TOP, WIDTH } from './Frame';
import { ticks } from './scale';

export type Tone = 'green' | 'red' | 'gray' | 'blue';

export interface Series {
  title: string;
  tone: Tone;
}

export interface Bar {
  /** What stands below it. */
  label: string;
  /** One value for each series, from the bottom up. */
  values: number[];
}

interface Props {
  label: string;
  series: Series[];
  bars: Bar[];
  format: (value: number) => string;
  height?: number;
}

/** Quantities side by side, each of a few parts. */
export function Bars({ label, series, bars, format, height = 180 }: Props) {
  const sums = bars.map(bar => bar.values.reduce((sum, value) => sum + value, 0));
  const marks = ticks(Math.max(0, ...sums), 3);
  const most = marks.at(-1) ?? 1;
  const room = (WIDTH - LEFT) / Math.max(1, bars.length);
  const inner = height - TOP - BOTTOM;
  const every = Math.ceil(bars.length / 8);
  return (
    <div>
      <Frame
        label={label}
        height={height}
        marks={marks}
        format={format}
        below={bars
          .map((bar, index) => ({ at: (index + 0.5) / bars.length, text: bar.label }))
          .filter((_, index) => index % every === 0)}
        table={
          <>
            <thead>
              <tr>
                <td />
                {series.map(each => (
                  <th key={each.title} scope="col">
                    {each.title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {bars.map(bar => (
                <tr key={bar.label}>
                  <th scope="row">{bar.label}</th>
                  {bar.values.map((value, index) => (
                    <td key={series[index]?.title}>{format(value)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </>
        }
      >
        {bars.map((bar, index) => {
          let below = 0;
          const says = series.map((each, part) => `${each.title}: ${format(bar.values[part] ?? 0)}`).join('\n');
          return (
            <g key={bar.label}>
              {bar.values.map((value, part) => {
                const from = below;
                below += value;
                const size = (value / most) * inner;
                return (
                  <rect
                    key={series[part]?.title}
                    x={LEFT + index * room + room * 0.18}
                    width={room * 0.64}
                    y={TOP + inner - (from / most) * inner - size}
                    height={Math.max(0, size)}
                    rx={2}
                    className={classes[series[part]?.tone ?? 'blue']}
                  />
                );
              })}
              <rect x={LEFT + index * room} y={TOP} width={room} height={inner} className={classes.hit}>
                <title>{`${bar.label}\n${says}`}</title>
              </rect>
            </g>
          );
        })}
      </Frame>
      {series.length > 1 && (
        <div className={classes.legend} aria-hidden="true">
          {series.map(each => (
            <span key={each.title}>
              <svg width="10" height="10" className={classes.swatch} aria-hidden="true">
                <rect width="10" height="10" rx="3" className={classes[each.tone]} />
              </svg>
              {each.title}
            </span>
          ))}
        </div>
      )}
    </div>
  );
}
