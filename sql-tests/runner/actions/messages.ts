import { Mismatch } from '../format/test-failure.ts';
import type { Action, RunContext } from '../run-context.ts';
import type { Target } from '../wire/client-messages.ts';
import type { ServerMessage } from '../wire/server-messages.ts';
import { parameter, typeOid } from './bind.ts';

/**
 * `$ messages` sends protocol messages one by one, in one write, and compares all that comes back:
 *
 *     parse NAME [(type, ...)] SQL        describe statement|portal NAME     sync    flush
 *     bind PORTAL STATEMENT [-> binary]   execute PORTAL [rows]              query SQL
 *     bind PORTAL STATEMENT (value<tab>value) [-> binary]
 *     close statement|portal NAME         copy-data TEXT | copy-done | copy-fail REASON
 *     await MESSAGE                       reads up to such a message before sending more
 *
 * The unnamed statement and portal are written `-`. Reading ends with the answer to the last sync
 * or query.
 */
export const messages: Action = async (run, block) => {
  const { connection } = run.session;
  const received: ServerMessage[] = [];
  let unsent: Buffer[] = [];
  let expectedReady = 0;
  const send = (): void => {
    if (unsent.length > 0) connection.send(...unsent);
    unsent = [];
  };
  for (const line of block.body.split('\n')) {
    const awaited = /^await (\w+)$/.exec(line)?.[1];
    if (awaited === undefined) {
      unsent.push(encode(run, line));
      if (/^(sync$|query )/.test(line)) expectedReady += 1;
    } else {
      send();
      received.push(...(await connection.until(({ kind }) => kind === awaited)));
    }
  }
  send();
  while (received.filter(({ kind }) => kind === 'ReadyForQuery').length < expectedReady) {
    const message = await connection.next();
    received.push(message);
    if (message.kind === 'ConnectionClosed') break;
  }
  await run.learnTypes(received);
  run.expectMessages(block, received);
};

const forms: readonly (readonly [RegExp, (run: RunContext, parts: string[]) => Buffer])[] = [
  [
    /^parse (\S+)(?: \(([\w[\], ]+)\))? (.*)$/,
    (run, [name = '', types = '', sql = '']) => {
      const oids = types === '' ? [] : types.split(/, */).map((type) => typeOid(run, type));
      return run.session.connection.write.parse(unnamed(name), expandEscapes(sql), oids);
    },
  ],
  [
    /^bind (\S+) (\S+)(?: \((.*)\))?( -> binary)?$/,
    (run, [portal = '', statement = '', values = '', binary = '']) =>
      run.session.connection.write.bind(unnamed(portal), unnamed(statement), {
        parameters: values === '' ? [] : values.split('\t').map(parameter),
        binaryResults: binary !== '',
      }),
  ],
  [
    /^describe (statement|portal) (\S+)$/,
    ({ session }, [target = '', name = '']) =>
      session.connection.write.describe(target as Target, unnamed(name)),
  ],
  [
    /^close (statement|portal) (\S+)$/,
    ({ session }, [target = '', name = '']) =>
      session.connection.write.close(target as Target, unnamed(name)),
  ],
  [
    /^execute (\S+)(?: (\d+))?$/,
    ({ session }, [portal = '', rows = '0']) =>
      session.connection.write.execute(unnamed(portal), Number(rows)),
  ],
  [
    /^query ?(.*)$/,
    ({ session }, [sql = '']) => session.connection.write.query(expandEscapes(sql)),
  ],
  [/^sync$/, ({ session }) => session.connection.write.sync()],
  [/^flush$/, ({ session }) => session.connection.write.flush()],
  [
    /^copy-data (.*)$/,
    ({ session: { connection } }, [text = '']) =>
      connection.write.copyData(connection.write.bytes(expandEscapes(text))),
  ],
  [/^copy-done$/, ({ session }) => session.connection.write.copyDone()],
  [/^copy-fail (.*)$/, ({ session }, [reason = '']) => session.connection.write.copyFail(reason)],
];

function encode(run: RunContext, line: string): Buffer {
  for (const [pattern, write] of forms) {
    const match = pattern.exec(line);
    if (match !== null)
      return write(
        run,
        match.slice(1).map((part) => part ?? ''),
      );
  }
  throw new Mismatch(`"${line}" is no message`);
}

function unnamed(name: string): string {
  return name === '-' ? '' : name;
}

/** `\n` and `\t` in a message's text stand for the characters. */
function expandEscapes(text: string): string {
  return text.replaceAll('\\n', '\n').replaceAll('\\t', '\t');
}
