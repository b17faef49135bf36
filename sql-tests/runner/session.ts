import { type Login, logIn } from './administrator.ts';
import type { Parameter } from './wire/client-messages.ts';
import type { WireConnection } from './wire/connection.ts';
import type { ServerMessage } from './wire/server-messages.ts';

/** How the following statements are sent. */
export type Sending = {
  readonly protocol: 'simple' | 'extended';
  readonly binaryResults: boolean;
  /** Rows fetched by each Execute, 0 for all. */
  readonly rowsMax: number;
};

export const plainSending: Sending = { protocol: 'simple', binaryResults: false, rowsMax: 0 };

export type BoundParameters = {
  readonly types: readonly number[];
  readonly values: readonly Parameter[];
};

/** What is fed to a COPY FROM STDIN. */
export type Stdin =
  | { readonly kind: 'data'; readonly data: string | Buffer }
  | { readonly kind: 'fail'; readonly reason: string };

export type Statement = {
  readonly sql: string;
  readonly sending: Sending;
  readonly parameters: BoundParameters | undefined;
  readonly stdin: Stdin | undefined;
};

/** One client session, sending statements the way a driver would. */
export class Session {
  readonly name: string;
  readonly greeting: readonly ServerMessage[];
  readonly connection: WireConnection;

  private constructor(name: string, opened: Awaited<ReturnType<typeof logIn>>) {
    this.name = name;
    this.greeting = opened.greeting;
    this.connection = opened.connection;
  }

  static async open(
    name: string,
    login: Login,
    parameters: ReadonlyMap<string, string>,
  ): Promise<Session> {
    return new Session(
      name,
      await logIn(login, new Map([['application_name', 'sql-tests'], ...parameters])),
    );
  }

  /** Sends a statement and returns all that came back for it. */
  async run(statement: Statement): Promise<ServerMessage[]> {
    this.start(statement);
    return this.finish(statement);
  }

  start(statement: Statement): void {
    const { write } = this.connection;
    const { sql, sending, parameters } = statement;
    if (!isExtended(statement)) {
      this.connection.send(write.query(sql));
      return;
    }
    const { types = [], values = [] } = parameters ?? {};
    this.connection.send(
      write.parse('', sql, types),
      write.bind('', '', { parameters: values, binaryResults: sending.binaryResults }),
      write.describe('portal', ''),
      write.execute('', sending.rowsMax),
      sending.rowsMax === 0 ? write.sync() : write.flush(),
    );
  }

  async finish(statement: Statement): Promise<ServerMessage[]> {
    const ends = isFetchedInSteps(statement) ? steppedEnds : wholeEnds;
    const messages: ServerMessage[] = [];
    for (;;) {
      messages.push(...(await this.connection.until(({ kind }) => ends.has(kind))));
      const last = messages.at(-1)?.kind;
      if (last === undefined || last === 'ReadyForQuery' || last === 'ConnectionClosed') {
        return messages;
      }
      this.#goOn(last, statement);
    }
  }

  #goOn(after: ServerMessage['kind'], statement: Statement): void {
    const { write } = this.connection;
    if (after === 'CopyInResponse') this.#feed(statement);
    else if (after === 'PortalSuspended') {
      this.connection.send(write.execute('', statement.sending.rowsMax), write.flush());
    } else this.connection.send(write.sync());
  }

  #feed(statement: Statement): void {
    const { connection } = this;
    const { write } = connection;
    const { stdin } = statement;
    if (stdin?.kind === 'data') {
      const { data } = stdin;
      connection.send(write.copyData(typeof data === 'string' ? write.bytes(data) : data));
    }
    connection.send(stdin?.kind === 'fail' ? write.copyFail(stdin.reason) : write.copyDone());
    if (!isExtended(statement)) return;
    // The server ignores a Sync that comes while it is copying, so another must follow.
    connection.send(isFetchedInSteps(statement) ? write.flush() : write.sync());
  }
}

function isExtended({ sending, parameters }: Statement): boolean {
  return sending.protocol === 'extended' || parameters !== undefined;
}

function isFetchedInSteps(statement: Statement): boolean {
  return isExtended(statement) && statement.sending.rowsMax > 0;
}

type Kinds = ReadonlySet<ServerMessage['kind']>;
const wholeEnds: Kinds = new Set(['ReadyForQuery', 'CopyInResponse']);
const steppedEnds: Kinds = new Set([
  'ReadyForQuery',
  'CopyInResponse',
  'PortalSuspended',
  'CommandComplete',
  'EmptyQueryResponse',
  'ErrorResponse',
]);
