import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import type { LogFields, Logger } from '../../contracts/logger.ts';
import type { PgError } from '../../core/errors/pg-error.ts';
import { firstStartAttemptsMax } from '../limits.ts';
import { SupervisedRole, type SupervisedRoleOptions } from './supervised-role.ts';

const addresses = { listen: { host: '127.0.0.1', port: 1 } };

/** Loses what it is sent before it says hello, as a process of the cluster module does. */
const latecomer = `
  process.once('message', () => undefined);
  const inner = (message) => {
    if (message.kind === 'drain') process.exit(0);
    if (message.kind === 'configure') {
      process.send({ kind: 'ready', addresses: message.configuration });
    }
  };
  setTimeout(() => {
    process.removeAllListeners('message');
    process.on('message', inner);
    process.send({ kind: 'hello' });
  }, 200);
`;

const answering = `
  process.on('message', (message) => {
    if (message.kind === 'drain') process.exit(0);
    if (message.kind === 'configure') {
      process.send({ kind: 'ready', addresses: message.configuration });
    }
    if (message.kind === 'ping') process.send({ kind: 'pong' });
  });
  process.send({ kind: 'hello' });
`;

describe('a process of a role', function () {
  this.timeout(20_000);
  const children: ChildProcess[] = [];

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  it('gets its configuration when it asks for it', async () => {
    const { role } = supervise(latecomer);
    await role.ready;
    assert.deepEqual(role.addresses, addresses);
    await role.stop(0);
  });

  it('is told to drain when it was not listening at the time', async () => {
    const { role } = supervise(latecomer);
    await role.stop(0);
    assert.equal(children[0]?.exitCode, 0, 'it was not killed');
  });

  it('is silent while it does not answer, and up when it does again', async () => {
    const states: string[] = [];
    let changed: () => void = () => undefined;
    const { role } = supervise(answering, {
      pulse: { intervalMs: 20, answerMaxMs: 200 },
      onChange: () => {
        states.push(role.state);
        changed();
      },
    });
    const becomes = async (state: string): Promise<void> => {
      while (role.state !== state) {
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      }
    };
    await becomes('up');
    children[0]?.kill('SIGSTOP');
    await becomes('silent');
    assert.equal(role.pid, children[0]?.pid, 'it is not killed');
    assert.deepEqual(await role.collect(), [[]], 'nobody waits for its metrics');
    children[0]?.kill('SIGCONT');
    await becomes('up');
    assert.deepEqual(states, ['up', 'silent', 'up']);
    await role.stop(0);
  });

  it('is killed when it does not get ready, and the node told after several attempts', async () => {
    const { failed, lines } = supervise('setInterval(() => undefined, 1000)', { readyMaxMs: 100 });
    const { message, detail } = await failed;
    assert.equal(message, 'role "proxy" did not start');
    assert.equal(detail, 'Its process was not ready within 0.1 s each time.');
    assert.equal(children.length, firstStartAttemptsMax);
    assert.equal(lines.length, firstStartAttemptsMax - 1);
    const { part, how } = lines[0] ?? {};
    assert.deepEqual({ part, how }, { part: 'proxy', how: 'was not ready within 0.1 s' });
  });

  function supervise(
    script: string,
    more: Partial<SupervisedRoleOptions> = {},
  ): { role: SupervisedRole; failed: Promise<PgError>; lines: LogFields[] } {
    const lines: LogFields[] = [];
    let fail: (error: PgError) => void = () => undefined;
    const failed = new Promise<PgError>((resolve) => {
      fail = resolve;
    });
    const role = new SupervisedRole({
      name: 'proxy',
      logger: loggerInto(lines),
      spawn: () => {
        const child = spawn(process.execPath, ['-e', script], {
          stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        });
        children.push(child);
        return child;
      },
      configuration: () => addresses,
      onChange: () => undefined,
      onFatal: fail,
      ...more,
    });
    role.start();
    return { role, failed, lines };
  }
});

function loggerInto(lines: LogFields[]): Logger {
  const add = (_message: string, fields?: LogFields): void => void lines.push(fields ?? {});
  return { debug: add, info: add, warn: add, error: add };
}
