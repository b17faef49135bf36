import assert from 'node:assert/strict';
import type { PgError } from '../core/errors/pg-error.ts';
import { parseCommandLine } from './command-line.ts';

const version = 'heliosdb 1.2.3';

describe('the command line', () => {
  it('gives flags to start, a switch without a value', () => {
    const args = ['start', '--listen', ':1', '--allow-trust', '--log-level=debug'];
    assert.deepEqual(parseCommandLine(args, version), {
      command: 'start',
      flags: { listen: ':1', allowTrust: true, logLevel: 'debug' },
    });
  });

  it('gives an upstream to check', () => {
    const invocation = parseCommandLine(['check', '--upstream', 'postgres://db'], version);
    assert.deepEqual(invocation, { command: 'check', flags: { upstream: 'postgres://db' } });
  });

  it('prints version and help', () => {
    const print = (args: string[]): string => {
      const invocation = parseCommandLine(args, version);
      assert.equal(invocation.command, 'print');
      return invocation.command === 'print' ? invocation.text.trim() : '';
    };
    assert.equal(print(['--version']), version);
    assert.match(print([]), /^Usage: heliosdb /);
    assert.match(print(['--help']), /^Usage: heliosdb /);
    assert.match(print(['start', '--help']), /--drain-timeout <SECONDS>/);
  });

  for (const [args, message, hint] of [
    [['start', '--lisen', ':1'], 'unrecognized flag "--lisen"', /--config, --upstream, --listen,/],
    [
      ['check', '--listen', ':1'],
      'unrecognized flag "--listen"',
      /--config, --upstream, --help\.$/,
    ],
    [['--upstream', 'x'], 'flag "--upstream" is given without a command', /start --upstream\.$/],
    [['--listen=:1'], 'flag "--listen" is given without a command', /start --listen\.$/],
    [['--foo'], 'unrecognized flag "--foo"', /--version, --help\.$/],
    [['start', '--upstraem=postgres://ann:secret@db'], 'unrecognized flag "--upstraem"', /./],
    [['postgres://ann:secret@db'], 'unrecognized command "***"', /start, check/],
    [['serve'], 'unrecognized command "serve"', /start, check/],
  ] as const) {
    it(`lists what is valid for ${args.join(' ')}`, () => {
      assert.throws(
        () => parseCommandLine(args, version),
        (error: PgError) => {
          assert.equal(error.message, message);
          assert.match(error.hint ?? '', hint);
          return true;
        },
      );
    });
  }

  it('says which flag lacks its value', () => {
    assert.throws(() => parseCommandLine(['start', '--listen'], version), /--listen .* missing/);
  });
});
