import {
  authenticationRequired,
  redisSyntaxError,
  unknownRedisSubcommand,
  wrongNumberOfArguments,
} from '../../core/errors/redis.ts';
import type { AuthenticationGate } from '../authentication-gate.ts';
import type { ClientState } from '../client-state.ts';
import { bulks, type Reply } from '../resp/reply.ts';
import type { AccessByDatabase, RedisServices } from '../services.ts';

/** What commands share, for as long as the endpoint runs. */
export type Endpoint = {
  readonly services: RedisServices;
  readonly gate: AuthenticationGate;
  readonly writeStallMs: number;
  readonly startedAtMs: number;
  readonly port: () => number;
  readonly clientsOpen: () => number;
  readonly clientsBlocked: () => number;
};

/** One request, with its number of arguments checked. */
export type Call = {
  /** Without the name of the command. */
  readonly args: readonly Buffer[];
  readonly client: ClientState;
  readonly endpoint: Endpoint;
};

export type Command = {
  /** In lower case. */
  readonly name: string;
  /** As in Redis, the name counted: so many arguments, or when negative at least so many. */
  readonly arity: number;
  readonly flags: readonly string[];
  /** Arguments that are keys: first, last, step; zeros for none. */
  readonly keys: readonly [number, number, number];
  readonly group: 'connection' | 'server' | 'generic' | 'stream';
  readonly since: string;
  readonly summary: string;
  /** May be given by a client that has not authenticated. */
  readonly isOpen?: boolean;
  /** Throws, or rejects with, the PgError that is the answer. */
  readonly run: (call: Call) => Reply | Promise<Reply>;
};

export function takes(arity: number, argumentCount: number): boolean {
  return arity < 0 ? argumentCount >= -arity : argumentCount === arity;
}

export type Subcommand = {
  /** The names of command and subcommand counted. */
  readonly arity: number;
  /** Its arguments do not have the name of the subcommand. */
  readonly run: (call: Call) => Reply | Promise<Reply>;
};

/** Runs the subcommand that is the first argument. */
export function runSubcommand(
  container: string,
  subcommands: Readonly<Record<string, Subcommand>>,
  call: Call,
): Reply | Promise<Reply> {
  const typed = textOf(call.args[0]);
  const name = typed.toLowerCase();
  if (name === 'help') {
    const names = Object.keys(subcommands).map((one) => one.toUpperCase());
    return bulks([`${container.toUpperCase()} <subcommand> [<arg> ...]`, ...names, 'HELP']);
  }
  const found = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (found === undefined) throw unknownRedisSubcommand(container.toUpperCase(), typed);
  if (!takes(found.arity, call.args.length + 1)) {
    throw wrongNumberOfArguments(`${container}|${name}`);
  }
  return found.run({ ...call, args: call.args.slice(1) });
}

/** What is not UTF-8 becomes something no name or option is. */
export function textOf(argument: Buffer | undefined): string {
  if (argument === undefined) throw redisSyntaxError();
  return argument.toString();
}

/** What the client may see. */
export function accessOf({ client }: Call): AccessByDatabase {
  if (client.access === undefined) throw authenticationRequired();
  return client.access;
}
