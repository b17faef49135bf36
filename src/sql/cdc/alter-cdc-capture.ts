import type { LexerOptions } from '../lexer.ts';
import type { Source } from '../source.ts';
import { quotedPath } from './names.ts';
import { bytes, interval, oneOf } from './option-values.ts';
import { type OptionSpecs, readResets, readSettings, type SettingTree } from './options.ts';
import type { CaptureAction, Span } from './statement.ts';

/** What the actions of grammar/alter-cdc-capture.peggy answer. */
export type CaptureTree =
  | { readonly action: 'enable' | 'disable' | 'resume' }
  | { readonly action: 'set'; readonly options: readonly SettingTree[] }
  | { readonly action: 'reset'; readonly options: readonly Span[] }
  | { readonly action: 'exclude' | 'include'; readonly columns: readonly (readonly Span[])[] };

const captureOptions: OptionSpecs = {
  of: 'capture',
  specs: new Map([
    ['max_slot_lag', bytes],
    ['hold_for', interval],
    ['retention_bytes', bytes],
    ['retention_age', interval],
    ['confirm', oneOf('delivered', 'logged')],
  ]),
};

export function readAlterCdcCapture(
  source: Source,
  tree: CaptureTree,
  options: LexerOptions,
): CaptureAction {
  switch (tree.action) {
    case 'enable':
    case 'disable':
    case 'resume':
      return { action: tree.action };
    case 'set': {
      const set = readSettings(source, tree.options, captureOptions, options);
      // None of them is a secret.
      return { action: 'set', options: set as Readonly<Record<string, string>> };
    }
    case 'reset':
      return { action: 'set', options: readResets(source, tree.options, captureOptions) };
    case 'exclude':
    case 'include':
      return {
        action: tree.action,
        columns: tree.columns.map((names) => quotedPath(source, names)),
      };
  }
}
