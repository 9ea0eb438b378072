import { drawChart } from '../draw-chart.ts';
import type { ScoredRow } from './score-series.ts';

const width = 1400;
const height = 620;
/** Columns of pixels that hold a line: of more points in one, the least and the greatest are drawn. */
const columns = 1200;

const blue = '#2f5d8a';
const red = '#c8321f';
const grey = '#8a8f98';

/**
 * Draws a scored series as SVG text: the values over the band of what was usual of late, those with a surprise of at least
 * `threshold` as dots, and the surprise below on a scale of how rarely it comes about.
 */
export function plotSeries(title: string, rows: readonly ScoredRow[], threshold: number): string {
  const drawn = thin(rows, threshold);
  const at = (pick: (row: ScoredRow) => number) => drawn.map((row) => [row.timeMs, pick(row)]);
  const anomalies = rows.filter(({ surprise }) => surprise >= threshold);
  return drawChart(
    {
      title: {
        text: title,
        subtext: `${rows.length.toLocaleString('en')} points, ${anomalies.length} with a surprise of ${threshold} or more`,
        left: 80,
      },
      legend: { top: 12, right: 60, data: ['value', 'usual', `surprise ≥ ${threshold}`] },
      grid: [
        { left: 90, right: 40, top: 80, height: 330 },
        { left: 90, right: 40, top: 450, height: 120 },
      ],
      xAxis: [
        { type: 'time', gridIndex: 0, axisLabel: { show: false } },
        { type: 'time', gridIndex: 1 },
      ],
      yAxis: [
        { type: 'value', gridIndex: 0, scale: true },
        {
          type: 'value',
          gridIndex: 1,
          name: 'one in (points)',
          axisLabel: { formatter: (rarity: number) => (10 ** rarity).toLocaleString('en') },
          minInterval: 1,
        },
      ],
      series: [
        // The band is two stacked areas: an invisible one up to its lower edge, and what is above that.
        bandEdge(
          'below',
          at(({ low }) => low),
        ),
        {
          ...bandEdge(
            'usual',
            at(({ low, high }) => high - low),
          ),
          areaStyle: { color: blue, opacity: 0.18 },
        },
        line(
          'value',
          0,
          blue,
          at(({ number }) => number),
        ),
        {
          name: `surprise ≥ ${threshold}`,
          type: 'scatter',
          symbolSize: 8,
          itemStyle: { color: red },
          data: anomalies.map(({ timeMs, number }) => [timeMs, number]),
        },
        line(
          'rarity',
          1,
          grey,
          at(({ surprise }) => rarityOf(surprise)),
        ),
        {
          type: 'scatter',
          xAxisIndex: 1,
          yAxisIndex: 1,
          symbolSize: 6,
          itemStyle: { color: red },
          data: anomalies.map(({ timeMs, surprise }) => [timeMs, rarityOf(surprise)]),
        },
      ],
    },
    width,
    height,
  );
}

function line(name: string, index: number, color: string, data: number[][]): object {
  return {
    name,
    type: 'line',
    xAxisIndex: index,
    yAxisIndex: index,
    showSymbol: false,
    lineStyle: { color, width: 1 },
    itemStyle: { color },
    data,
  };
}

function bandEdge(name: string, data: number[][]): object {
  return {
    name,
    type: 'line',
    stack: 'band',
    stackStrategy: 'all',
    showSymbol: false,
    lineStyle: { opacity: 0 },
    itemStyle: { color: blue, opacity: 0.3 },
    data,
  };
}

/** log10 of one in how many points has such a surprise; 12 at most. */
function rarityOf(surprise: number): number {
  return -Math.log10(Math.max(1 - surprise, 1e-12));
}

/** Of the points of one column of pixels the least, the greatest, and those beyond `threshold`. */
function thin(rows: readonly ScoredRow[], threshold: number): readonly ScoredRow[] {
  const perColumn = Math.ceil(rows.length / columns);
  if (perColumn <= 2) return rows;
  const kept: ScoredRow[] = [];
  for (let from = 0; from < rows.length; from += perColumn) {
    const column = rows.slice(from, from + perColumn);
    const byValue = column.toSorted((a, b) => a.number - b.number);
    const extremes = new Set([byValue[0], byValue.at(-1)]);
    kept.push(...column.filter((row) => extremes.has(row) || row.surprise >= threshold));
  }
  return kept;
}
