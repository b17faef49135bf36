import type { ComparisonResult } from './suite.ts';

/** A result as the cells of a table: name, against, ours, theirs, ratio, range, limit, verdict. */
export const columns: readonly { readonly title: string; readonly width: number }[] = [
  { title: 'HeliosDB', width: 42 },
  { title: 'against', width: 26 },
  { title: 'ours ms', width: 9 },
  { title: 'peer ms', width: 9 },
  { title: 'ratio', width: 7 },
  { title: 'min - max', width: 15 },
  { title: 'limit', width: 6 },
  { title: '', width: 4 },
];

/** Columns of words stand left, columns of figures right. */
export const wordColumns = 2;

export function tableHead(): string {
  return line(columns.map(({ title }) => title));
}

export function tableRow(result: ComparisonResult): string {
  if (result.outcome === 'measured') return line(cells(result));
  return `${result.name}: ${result.outcome}, ${result.detail}\n`;
}

export function cells(result: ComparisonResult & { outcome: 'measured' }): string[] {
  const { limit } = result;
  return [
    result.name,
    result.peer,
    milliseconds(result.oursMs),
    milliseconds(result.peerMs),
    ratio(result.ratio),
    `${ratio(result.ratioMin)} - ${ratio(result.ratioMax)}`,
    limit === undefined ? '' : String(limit),
    limit === undefined ? '' : result.isWithinLimit ? 'ok' : 'over',
  ];
}

function line(texts: readonly string[]): string {
  const padded = columns.map(({ width }, index) => {
    const text = texts[index] ?? '';
    return index < wordColumns ? text.padEnd(width) : text.padStart(width);
  });
  return `${padded.join(' ').trimEnd()}\n`;
}

function milliseconds(value: number): string {
  return value < 100 ? value.toFixed(1) : String(Math.round(value));
}

/** Small ratios are speed-ups and deserve their digits. */
function ratio(value: number): string {
  return value < 0.1 ? value.toFixed(3) : value.toFixed(2);
}
