import * as errors from '../../core/errors/cdc.ts';
import type { LexerOptions } from '../lexer.ts';
import type { Source } from '../source.ts';
import { stringValue } from '../string-constant.ts';
import { connectorOptions } from './connector-options.ts';
import { nameAt, quotedPath } from './names.ts';
import { readSettings, type SettingTree } from './options.ts';
import type { CreateCdcConnector, Span, TableChoice } from './statement.ts';

/** What the actions of grammar/create-cdc-connector.peggy answer. */
export type CreateConnectorTree = {
  readonly isQuiet: boolean;
  readonly name: Span;
  readonly type: Span;
  readonly tables: readonly TableTree[] | null;
  readonly options: readonly SettingTree[];
};

type TableTree = { readonly path: readonly Span[]; readonly columns: readonly Span[] | null };

export function readCreateCdcConnector(
  source: Source,
  tree: CreateConnectorTree,
  options: LexerOptions,
): Omit<CreateCdcConnector, 'stem'> {
  const type = typeAt(source, tree.type, options);
  const at = { position: source.positionOf(tree.type.start) };
  const specs = connectorOptions.get(type);
  if (specs === undefined) {
    throw errors.connectorTypeUnrecognised(type, [...connectorOptions.keys()], at);
  }
  const of = `${type} connector`;
  const settings = readSettings(source, tree.options, { of, specs }, options);
  for (const [option, { isNeeded, expected }] of specs) {
    if (isNeeded && !(option in settings)) throw errors.optionMissing(of, option, expected, at);
  }
  return {
    name: nameAt(source, tree.name),
    type,
    isQuiet: tree.isQuiet,
    tables: tree.tables?.map((table) => choiceOf(source, table)),
    options: settings,
  };
}

function choiceOf(source: Source, { path, columns }: TableTree): TableChoice {
  return {
    table: quotedPath(source, path),
    columns: columns?.map((column) => nameAt(source, column)),
  };
}

/** As a word or, as other statements have it, as a string. */
function typeAt(source: Source, type: Span, options: LexerOptions): string {
  const written = source.text.slice(type.start, type.end);
  return /^[\w"\u0080-\uffff]*$/.test(written)
    ? nameAt(source, type)
    : stringValue(written, options);
}
