/** Round numbers up to at least `most`, for an axis: 0, 50, 100. At most `count` steps. */
export function ticks(most: number, count = 4): number[] {
  if (most <= 0) return [0, 1];
  const rough = most / count;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map(factor => factor * size).find(each => each >= rough) ?? rough;
  const whole = Math.max(step, most >= 1 ? 1 : step);
  const steps = Math.ceil(most / whole);
  return Array.from({ length: steps + 1 }, (_, index) => index * whole);
}

/** The path of a line through points. */
export function path(points: [number, number][]): string {
  return points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
}
