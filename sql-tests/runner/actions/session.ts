import { Mismatch } from '../format/test-failure.ts';
import type { Action } from '../run-context.ts';

/**
 * `$ session NAME [parameter=value ...]` makes NAME the session of the following records. A new one
 * is opened with the given startup parameters (`user` and `database` among them); with `----` its
 * greeting is compared, which is the way to expect that a connection is refused.
 */
export const session: Action = async (run, block, argument) => {
  const [name = '', ...settings] = argument.split(' ');
  if (name === '') throw new Mismatch('"$ session" needs a name');
  const isNew = run.sessionNamed(name) === undefined;
  const opened = await run.switchTo(name, new Map(settings.map(pair)));
  if (!isNew) return;
  if (block.expected !== undefined) {
    run.expectMessages(
      block,
      opened.greeting.filter(({ kind }) => kind !== 'ParameterStatus'),
    );
    return;
  }
  run.observe(block, opened.greeting);
  const refusal = opened.greeting.find((message) => message.kind === 'ErrorResponse');
  if (refusal !== undefined) throw new Mismatch(`no session: ${refusal.fields.get('M')}`);
};

function pair(setting: string): [string, string] {
  const at = setting.indexOf('=');
  if (at === -1) throw new Mismatch(`"${setting}" is not name=value`);
  return [setting.slice(0, at), setting.slice(at + 1)];
}

/** `$ disconnect` ends the current session; another must be chosen next. */
export const disconnect: Action = async (run) => {
  run.forget(run.session.name);
};
