import type { SchemaChange } from '../../contracts/change.ts';
import type { LogicalMessage } from '../pgoutput/logical-message.ts';

/** Of the logical messages that are ours. */
export const messagePrefix: string = 'heliosdb';

/**
 * What a logical message says about a schema change: a JSON object with the fields of SchemaChange,
 * by their names. Undefined for everything else; anybody may write messages, with any content, so
 * none of them is an error.
 */
export function readSchemaChange(message: LogicalMessage): SchemaChange | undefined {
  if (message.prefix !== messagePrefix || !message.isTransactional) return undefined;
  const content = parseObject(message.content);
  if (content === undefined) return undefined;
  const { command, tableOid, schema, name, rewritesRows } = content;
  if (typeof command !== 'string' || typeof schema !== 'string') return undefined;
  if (typeof name !== 'string' || typeof rewritesRows !== 'boolean') return undefined;
  if (![command, schema, name].every(isText)) return undefined;
  if (!isOid(tableOid)) return undefined;
  return { command, tableOid, schema, name, rewritesRows };
}

/**
 * The subtransaction that wrote a message of ours. The server names the transaction alone in those
 * that it sends while that is in progress.
 */
export function subtransactionOf(message: LogicalMessage): number | undefined {
  const subxid = parseObject(message.content)?.subxid;
  return isOid(subxid) ? subxid : undefined;
}

/**
 * The columns that are kept out of the log behind the transaction of a message, as it claims:
 * anybody may write one.
 */
export function readExclusions(message: LogicalMessage): readonly string[] | undefined {
  if (message.prefix !== messagePrefix || !message.isTransactional) return undefined;
  const columns = parseObject(message.content)?.excludedColumns;
  if (!Array.isArray(columns)) return undefined;
  return columns.filter((column): column is string => typeof column === 'string');
}

type Content = {
  readonly [key in keyof SchemaChange | 'subxid' | 'excludedColumns']?: unknown;
};

/** Longer than anything of ours; anybody may write what no string could hold. */
const contentBytesMax = 16 * 1024 * 1024;

function parseObject(content: Buffer): Content | undefined {
  if (content.length > contentBytesMax) return undefined;
  try {
    const value: unknown = JSON.parse(content.toString('utf8'));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a text of Postgres can be this. */
function isText(value: string): boolean {
  return !/\0|\p{Surrogate}/u.test(value);
}

function isOid(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff_ffff;
}
