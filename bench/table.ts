import type { Column, ComparisonResult, Measured } from './suite.ts';

export function tableHead(columns: readonly Column[]): string {
  return line(
    columns,
    columns.map(({ title }) => title),
  );
}

export function tableRow(columns: readonly Column[], result: ComparisonResult): string {
  if (result.outcome === 'measured') return line(columns, cells(columns, result));
  return `${result.name}: ${result.outcome}, ${result.detail}\n`;
}

export function cells(columns: readonly Column[], result: Measured): string[] {
  return columns.map((column) => column.cell(result));
}

/** The columns that end the table of every suite: ratio, its range, the limit, the verdict. */
export const verdictColumns: readonly Column[] = [
  { title: 'ratio', width: 7, holds: 'figures', cell: ({ peer }) => ratio(peer?.ratio) },
  {
    title: 'min - max',
    width: 15,
    holds: 'figures',
    cell: ({ peer }) =>
      peer === undefined ? '' : `${ratio(peer.ratioMin)} - ${ratio(peer.ratioMax)}`,
  },
  { title: 'limit', width: 8, holds: 'figures', cell: printLimit },
  {
    title: '',
    width: 5,
    holds: 'figures',
    cell: ({ limit, isWithinLimit }) =>
      limit === undefined ? '' : isWithinLimit ? 'ok' : limit.is === 'at most' ? 'over' : 'under',
  },
];

/** Three digits are what a figure taken here can promise. */
export function printFigure(value: number | undefined): string {
  if (value === undefined) return '';
  if (value < 10) return value.toFixed(2);
  return value < 100 ? value.toFixed(1) : String(Math.round(value));
}

function printLimit({ limit, unit }: Measured): string {
  if (limit === undefined) return '';
  return `${limit.is === 'at most' ? '≤' : '≥'} ${limit.value}${limit.of === 'ours' ? ` ${unit}` : ''}`;
}

function line(columns: readonly Column[], texts: readonly string[]): string {
  const padded = columns.map(({ width, holds }, index) => {
    const text = texts[index] ?? '';
    return holds === 'words' ? text.padEnd(width) : text.padStart(width);
  });
  return `${padded.join(' ').trimEnd()}\n`;
}

/** Small ratios are speed-ups and deserve their digits. */
function ratio(value: number | undefined): string {
  if (value === undefined) return '';
  return value < 0.1 ? value.toFixed(3) : value.toFixed(2);
}
