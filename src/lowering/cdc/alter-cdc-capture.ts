import { quoteLiteral } from '../../core/quoting.ts';
import type { AlterCdcCapture } from '../../sql/cdc/statement.ts';
import { generated } from '../splice.ts';
import type { LoweredCdc } from './lowered-statement.ts';
import { procedureErrors } from './schema-errors.ts';

const tag = 'ALTER CDC CAPTURE';

/** A procedure of schema heliosdb: in the client's transaction, with the client's rights. */
export function lowerAlterCdcCapture(statement: AlterCdcCapture, anchor: number): LoweredCdc {
  const { procedure, argument } = callOf(statement);
  return {
    pieces: [generated(`CALL heliosdb.${procedure}(${argument})`, anchor)],
    tag,
    errors: procedureErrors(tag, procedure),
  };
}

type Call = { readonly procedure: string; readonly argument: string };

function callOf(statement: AlterCdcCapture): Call {
  switch (statement.action) {
    case 'enable':
      return { procedure: 'enable_capture', argument: '' };
    case 'disable':
      return { procedure: 'disable_capture', argument: '' };
    case 'resume':
      return { procedure: 'resume_capture', argument: 'skip_gap => true' };
    case 'set':
      return {
        procedure: 'set_capture_options',
        argument: `${quoteLiteral(JSON.stringify(statement.options))}::pg_catalog.jsonb`,
      };
    case 'exclude':
      return { procedure: 'exclude_columns', argument: textArray(statement.columns) };
    case 'include':
      return { procedure: 'include_columns', argument: textArray(statement.columns) };
  }
}

function textArray(texts: readonly string[]): string {
  return `ARRAY[${texts.map(quoteLiteral).join(', ')}]::pg_catalog.text[]`;
}
