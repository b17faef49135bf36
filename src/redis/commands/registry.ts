import { PgError } from '../../core/errors/pg-error.ts';
import {
  authenticationRequired,
  redisReadOnly,
  unknownRedisCommand,
  wrongNumberOfArguments,
} from '../../core/errors/redis.ts';
import type { ClientState } from '../client-state.ts';
import { errorReply } from '../resp/error-line.ts';
import type { Reply } from '../resp/reply.ts';
import { clientCommand } from './client-command.ts';
import { type Command, type Endpoint, takes } from './command.ts';
import { commandAbout } from './command-command.ts';
import { connectionCommands } from './connection-commands.ts';
import { keyCommands } from './key-commands.ts';
import { serverCommands } from './server-commands.ts';
import { streamCommands } from './stream-commands.ts';
import { writeCommands } from './write-commands.ts';
import { xinfoCommand } from './xinfo-command.ts';

const commands: Map<string, Command> = new Map(
  [
    ...streamCommands,
    xinfoCommand,
    ...keyCommands,
    ...connectionCommands,
    clientCommand,
    ...serverCommands,
  ].map((command) => [command.name, command]),
);
commands.set('command', commandAbout(commands));

/** Answers a request of at least one argument. Never rejects. */
export async function answer(
  request: readonly Buffer[],
  client: ClientState,
  endpoint: Endpoint,
): Promise<Reply> {
  const { logger, metrics } = endpoint.services;
  const began = performance.now();
  const typed = request[0]!.toString();
  const command = commands.get(typed.toLowerCase());
  let reply: Reply;
  try {
    reply = await run(command, request, { client, endpoint });
  } catch (error) {
    if (error instanceof PgError) reply = errorReply(error);
    else {
      logger.error('redis command failed', { command: command?.name, error });
      reply = { kind: 'error', line: 'ERR internal error, the log of the node has details' };
    }
  }
  metrics.commandAnswered(
    command?.name ?? 'unknown',
    reply.kind === 'error' ? reply.line.slice(0, reply.line.indexOf(' ')) : undefined,
    (performance.now() - began) / 1_000,
  );
  return reply;
}

/** In the order in which Redis finds out what is wrong. */
function run(
  command: Command | undefined,
  request: readonly Buffer[],
  of: { readonly client: ClientState; readonly endpoint: Endpoint },
): Reply | Promise<Reply> {
  const typed = request[0]!.toString();
  const args = request.slice(1);
  const isWrite = command === undefined && writeCommands.has(typed.toLowerCase());
  if (command === undefined && !isWrite) {
    throw unknownRedisCommand(
      typed,
      args.map((arg) => arg.toString()),
    );
  }
  if (command !== undefined && !takes(command.arity, request.length)) {
    throw wrongNumberOfArguments(command.name);
  }
  if (of.client.access === undefined && !command?.isOpen) throw authenticationRequired();
  if (command === undefined) throw redisReadOnly();
  return command.run({ args, ...of });
}
