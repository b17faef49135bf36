import type { ShowCdcView } from '../../sql/cdc/statement.ts';
import { generated } from '../splice.ts';
import { cdcViews, namesOf } from './columns.ts';
import type { LoweredCdc } from './lowered-statement.ts';
import { relationErrors } from './schema-errors.ts';

/** A view of schema heliosdb. */
export function lowerShowCdcStatus({ view }: ShowCdcView, anchor: number): LoweredCdc {
  const { relation, columns, orderBy } = cdcViews[view];
  const text =
    `SELECT ${namesOf(columns)} FROM heliosdb.${relation}` + ` ORDER BY ${orderBy.join(', ')}`;
  return {
    pieces: [generated(text, anchor)],
    tag: 'SHOW',
    errors: relationErrors(`SHOW CDC ${view.toUpperCase()}`, relation),
  };
}
