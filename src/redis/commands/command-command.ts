import { matchesGlob } from '../glob.ts';
import { bulk, bulks, emptyArray, integer, map, type Reply } from '../resp/reply.ts';
import { type Call, type Command, runSubcommand, type Subcommand, textOf } from './command.ts';

/** COMMAND, about commands that are given; itself included when it is looked up among them. */
export function commandAbout(commands: ReadonlyMap<string, Command>): Command {
  const subcommands: Readonly<Record<string, Subcommand>> = {
    count: { arity: 2, run: () => integer(commands.size) },
    docs: { arity: -2, run: (call) => docs(call, commands) },
    info: { arity: -2, run: (call) => info(call, commands) },
    list: { arity: -2, run: (call) => list(call, commands) },
  };
  return {
    name: 'command',
    arity: -1,
    flags: ['loading', 'stale'],
    keys: [0, 0, 0],
    group: 'server',
    since: '2.8.13',
    summary: 'Returns detailed information about all commands.',
    run: (call) =>
      call.args.length === 0 ? info(call, commands) : runSubcommand('command', subcommands, call),
  };
}

function named({ args }: Call): readonly string[] {
  return args.map((argument) => textOf(argument).toLowerCase());
}

function docs(call: Call, commands: ReadonlyMap<string, Command>): Reply {
  const names = call.args.length === 0 ? [...commands.keys()] : named(call);
  const entries: [Reply, Reply][] = [];
  for (const name of names) {
    const command = commands.get(name);
    if (command === undefined) continue;
    const { group, since, summary } = command;
    const about = map({ summary: bulk(summary), since: bulk(since), group: bulk(group) });
    entries.push([bulk(name), about]);
  }
  return { kind: 'map', entries };
}

function info(call: Call, commands: ReadonlyMap<string, Command>): Reply {
  const names = call.args.length === 0 ? [...commands.keys()] : named(call);
  const items = names.map((name) => {
    const command = commands.get(name);
    return command === undefined ? nullArray : infoOf(command);
  });
  return { kind: 'array', items };
}

const nullArray: Reply = { kind: 'null-array' };

/** What Redis 7 tells, in its order: tips, key specifications and subcommands are left empty. */
function infoOf({ name, arity, flags, keys, group }: Command): Reply {
  const categories = [...(flags.includes('fast') ? ['fast'] : []), ...categoriesOf(group)];
  return {
    kind: 'array',
    items: [
      bulk(name),
      integer(arity),
      simpleSet(flags),
      ...keys.map(integer),
      simpleSet(categories.map((category) => `@${category}`)),
      emptyArray,
      emptyArray,
      emptyArray,
    ],
  };
}

function categoriesOf(group: Command['group']): string[] {
  if (group === 'stream') return ['read', 'stream'];
  return group === 'generic' ? ['read', 'keyspace'] : [group === 'server' ? 'admin' : group];
}

function simpleSet(texts: readonly string[]): Reply {
  return { kind: 'set', items: texts.map((text) => ({ kind: 'simple', text }) as const) };
}

function list(call: Call, commands: ReadonlyMap<string, Command>): Reply {
  const names = [...commands.keys()];
  if (call.args.length === 0) return bulks(names);
  const [filter, by, pattern] = named(call);
  const isPattern = filter === 'filterby' && by === 'pattern' && pattern !== undefined;
  return isPattern ? bulks(names.filter((name) => matchesGlob(pattern, name))) : bulks([]);
}
