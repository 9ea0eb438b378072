import { drawChart } from '../draw-chart.ts';
import type { FiringPage } from './outcome.ts';

const width = 960;
const height = 300;
const bucketCount = 120;
/** Readable on white and on black. */
const colors = { alerts: '#8a8f98', before: '#c2703d', after: '#2f81c5', text: '#7d838c' };

/** When things happened. */
export interface TimeLine {
  readonly fromMs: number;
  readonly toMs: number;
  readonly alertTimesMs: Iterable<number>;
  readonly before: readonly FiringPage[];
  readonly after: readonly FiringPage[];
}

/** Alerts in, and pages out under either configuration, over time, as SVG. */
export function plotTimeLine({ fromMs, toMs, alertTimesMs, before, after }: TimeLine): string {
  const stepMs = Math.max(1, (toMs - fromMs) / bucketCount);
  const countOf = (times: Iterable<number>): [number, number][] => {
    const counts = Array.from({ length: bucketCount }, () => 0);
    for (const timeMs of times) {
      const bucket = Math.floor((timeMs - fromMs) / stepMs);
      counts[Math.max(0, Math.min(bucketCount - 1, bucket))]!++;
    }
    return counts.map((count, index) => [fromMs + (index + 0.5) * stepMs, count]);
  };
  const bars = (name: string, color: string, pages: readonly FiringPage[]): object => ({
    name,
    type: 'bar',
    yAxisIndex: 1,
    itemStyle: { color },
    data: countOf(pages.map(({ atMs }) => atMs)),
  });
  return drawChart(
    {
      legend: { top: 0, data: ['alerts', 'pages before', 'pages after'], textStyle: { color: colors.text } },
      grid: { left: 60, right: 60, top: 40, bottom: 30 },
      xAxis: { type: 'time', min: fromMs, max: toMs, axisLabel: { color: colors.text } },
      yAxis: [
        countAxis('alerts', { splitLine: { lineStyle: { color: colors.text, opacity: 0.2 } } }),
        countAxis('pages', { splitLine: { show: false } }),
      ],
      series: [
        {
          name: 'alerts',
          type: 'line',
          showSymbol: false,
          lineStyle: { width: 1, color: colors.alerts },
          itemStyle: { color: colors.alerts },
          areaStyle: { color: colors.alerts, opacity: 0.25 },
          data: countOf(alertTimesMs),
        },
        bars('pages before', colors.before, before),
        bars('pages after', colors.after, after),
      ],
    },
    width,
    height,
  );
}

function countAxis(name: string, more: object): object {
  return {
    type: 'value',
    name,
    minInterval: 1,
    nameTextStyle: { color: colors.text },
    axisLabel: { color: colors.text },
    ...more,
  };
}
