import * as errors from '../../core/errors/cdc.ts';
import { parseLsn } from '../../core/lsn.ts';
import type { LexerOptions } from '../lexer.ts';
import type { Source } from '../source.ts';
import { stringValue } from '../string-constant.ts';
import { anyConnectorOptions } from './connector-options.ts';
import { nameAt } from './names.ts';
import { onOff } from './option-values.ts';
import { type OptionSpecs, readResets, readSettings, type SettingTree } from './options.ts';
import type { AlterCdcConnector, ConnectorAction, Span } from './statement.ts';

/** What the actions of grammar/alter-cdc-connector.peggy answer. */
export type AlterConnectorTree = { readonly isQuiet: boolean; readonly name: Span } & (
  | { readonly action: 'enable' | 'disable' | 'resume' }
  | { readonly action: 'set'; readonly options: readonly SettingTree[] }
  | { readonly action: 'reset'; readonly options: readonly Span[] }
  | { readonly action: 'replay'; readonly lsn: Span }
);

/** Which of them the connector has depends on its type, which the procedure knows. */
const specs: OptionSpecs = { of: 'connector', specs: anyConnectorOptions };
/** `SET enabled = false` is another word for DISABLE. */
const withEnabled: OptionSpecs = {
  of: 'connector',
  specs: new Map([...anyConnectorOptions, ['enabled', onOff]]),
};

export function readAlterCdcConnector(
  source: Source,
  tree: AlterConnectorTree,
  options: LexerOptions,
): Omit<AlterCdcConnector, 'stem'> & ConnectorAction {
  const named = { name: nameAt(source, tree.name), isQuiet: tree.isQuiet };
  switch (tree.action) {
    case 'enable':
    case 'disable':
    case 'resume':
      return { ...named, action: tree.action };
    case 'set':
      return { ...named, ...settingOf(source, tree.options, options) };
    case 'reset':
      return { ...named, action: 'set', options: readResets(source, tree.options, specs) };
    case 'replay': {
      const text = stringValue(source.text.slice(tree.lsn.start, tree.lsn.end), options);
      const lsn = parseLsn(text);
      if (lsn !== undefined) return { ...named, action: 'replay', lsn };
      throw errors.invalidLsn(text, { position: source.positionOf(tree.lsn.start) });
    }
  }
}

function settingOf(
  source: Source,
  settings: readonly SettingTree[],
  options: LexerOptions,
): ConnectorAction {
  const { enabled, ...others } = readSettings(source, settings, withEnabled, options);
  if (enabled === undefined) return { action: 'set', options: others };
  if (Object.keys(others).length > 0) {
    const [first] = settings as [SettingTree];
    throw errors.enabledIsAlone({ position: source.positionOf(first.option.start) });
  }
  return { action: enabled === 'on' || enabled === 'true' ? 'enable' : 'disable' };
}
