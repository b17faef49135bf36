import type { Administrator, Login } from './administrator.ts';
import type { Block, BlockEdit } from './format/block.ts';
import { Mismatch } from './format/test-failure.ts';
import {
  type BoundParameters,
  plainSending,
  type Sending,
  Session,
  type Statement,
  type Stdin,
} from './session.ts';
import { type Printing, printMessages, recordMessages } from './transcript.ts';
import type { TypeNames } from './type-names.ts';
import type { ServerMessage } from './wire/server-messages.ts';

/** What a block's verb is implemented by. It throws `Mismatch` when something is not as written. */
export type Action = (run: RunContext, block: Block, argument: string) => Promise<void>;

/** The state of one file being run against one server: sessions, and what the next record gets. */
export class RunContext {
  readonly types: TypeNames;
  readonly administrator: Administrator;
  /** Whether expectations are rewritten instead of compared. */
  readonly isUpdating: boolean;
  readonly edits: BlockEdit[] = [];
  readonly started: Map<string, Statement> = new Map();
  sending: Sending = plainSending;
  /** The last query, for a comparison with SQL written by hand. */
  lastQuery:
    | { readonly messages: readonly ServerMessage[]; readonly isSorted: boolean }
    | undefined;
  readonly #login: Login;
  readonly #isParity: boolean;
  readonly #sessions = new Map<string, Session>();
  readonly #observed: { block: Block; lines: string[] }[] = [];
  #current: Session | undefined;
  #parameters: BoundParameters | undefined;
  #stdin: Stdin | undefined;

  constructor(options: {
    login: Login;
    types: TypeNames;
    administrator: Administrator;
    isUpdating: boolean;
    isParity: boolean;
  }) {
    this.#isParity = options.isParity;
    this.#login = options.login;
    this.types = options.types;
    this.administrator = options.administrator;
    this.isUpdating = options.isUpdating;
  }

  /** All that the client saw, by block. */
  get observed(): readonly { readonly block: Block; readonly lines: readonly string[] }[] {
    return this.#observed;
  }

  get session(): Session {
    if (this.#current === undefined) throw new Mismatch('no session is open');
    return this.#current;
  }

  sessionNamed(name: string): Session | undefined {
    return this.#sessions.get(name);
  }

  get printing(): Printing {
    return {
      types: this.types,
      encoding: this.session.connection.write.encoding,
      sessionOf: (processId) => {
        for (const { name, connection } of this.#sessions.values()) {
          if (connection.processId === processId) return name;
        }
        return 'nobody here';
      },
    };
  }

  /** Makes the session current, opening it with these startup parameters if it is new. */
  async switchTo(name: string, parameters: ReadonlyMap<string, string>): Promise<Session> {
    let session = this.#sessions.get(name);
    if (session === undefined) {
      const user = parameters.get('user') ?? this.#login.user;
      const database = parameters.get('database') ?? this.#login.database;
      session = await Session.open(name, { ...this.#login, user, database }, parameters);
      this.#sessions.set(name, session);
    }
    this.#current = session;
    return session;
  }

  forget(name: string): void {
    this.#sessions.get(name)?.connection.close();
    this.#sessions.delete(name);
    if (this.#current?.name === name) this.#current = undefined;
  }

  bindNext(parameters: BoundParameters): void {
    this.#parameters = parameters;
  }

  feedNext(stdin: Stdin): void {
    this.#stdin = stdin;
  }

  /** The statement with what earlier actions prepared for it, which is then used up. */
  takeStatement(sql: string): Statement {
    const statement = {
      sql,
      sending: this.sending,
      parameters: this.#parameters,
      stdin: this.#stdin,
    };
    this.#parameters = undefined;
    this.#stdin = undefined;
    return statement;
  }

  /** Runs a statement on the current session and learns the types its answer speaks of. */
  async execute(sql: string): Promise<ServerMessage[]> {
    const messages = await this.session.run(this.takeStatement(sql));
    await this.learnTypes(messages);
    return messages;
  }

  async learnTypes(messages: readonly ServerMessage[]): Promise<void> {
    await this.types.learn(
      messages.flatMap((message) => {
        if (message.kind === 'RowDescription') return message.fields.map(({ typeOid }) => typeOid);
        return message.kind === 'ParameterDescription' ? message.types : [];
      }),
    );
  }

  /** Notes what the client saw, to be compared with another run of the file. */
  observe(block: Block, messages: readonly ServerMessage[]): void {
    this.#observed.push({ block, lines: recordMessages(messages, this.printing) });
  }

  /**
   * Compares what came with what the block expects, or notes the change when updating. What is only
   * `<observed>` is left to the comparison of two runs.
   */
  expect(
    block: Block,
    actual: readonly string[],
    head?: { expected: string; actual: string },
  ): void {
    if (this.isOnlyObserved(block)) {
      if (head === undefined || head.expected === head.actual) return;
      throw new Mismatch(`expected ${head.expected}\n     got ${head.actual}`);
    }
    if (this.isUpdating) {
      this.edits.push({
        block,
        expected: keepMasks(block.expected, actual),
        ...(head === undefined ? {} : { head: head.actual }),
      });
      return;
    }
    if (head !== undefined && head.expected !== head.actual) {
      throw new Mismatch(`expected ${head.expected}\n     got ${head.actual}`);
    }
    if (block.expected === undefined) throw new Mismatch('no expectation: run with --update');
    const difference = firstDifference(block.expected, actual);
    if (difference !== undefined) throw new Mismatch(difference);
  }

  /** Whether the block leaves out what differs between server versions. */
  isOnlyObserved({ expected }: Block): boolean {
    if (expected?.length !== 1 || expected[0] !== '<observed>') return false;
    if (!this.#isParity) throw new Mismatch('<observed> is for files of parity/');
    return true;
  }

  expectMessages(block: Block, messages: readonly ServerMessage[]): void {
    this.observe(block, messages);
    this.expect(block, printMessages(messages, this.printing));
  }

  close(): void {
    for (const { connection } of this.#sessions.values()) connection.close();
  }
}

/** Whether a printed line is as expected, where `<any>` stands for any one value. */
export function lineMatches(expected: string, actual: string): boolean {
  if (expected === actual) return true;
  if (!expected.includes('<any>')) return false;
  const pattern = expected
    .split('<any>')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${pattern.join('[^\\t]*')}$`).test(actual);
}

function firstDifference(
  expected: readonly string[],
  actual: readonly string[],
): string | undefined {
  const count = Math.max(expected.length, actual.length);
  for (let at = 0; at < count; at += 1) {
    const [wanted, got] = [expected[at], actual[at]];
    if (wanted !== undefined && got !== undefined && lineMatches(wanted, got)) continue;
    const where = `line ${at + 1} of ${expected.length} expected, ${actual.length} came`;
    return `${where}\n  expected ${wanted ?? 'nothing more'}\n       got ${got ?? 'nothing more'}`;
  }
  return undefined;
}

/** A masked line that still fits keeps its masks when expectations are rewritten. */
function keepMasks(expected: readonly string[] | undefined, actual: readonly string[]): string[] {
  return actual.map((line, at) => {
    const before = expected?.[at];
    return before !== undefined && lineMatches(before, line) ? before : line;
  });
}
