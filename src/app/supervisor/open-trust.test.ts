import assert from 'node:assert/strict';
import type { PgError } from '../../core/errors/pg-error.ts';
import type { UpstreamProbe } from '../../postgres/probe-upstream.ts';
import { parseUpstream } from '../config/upstream.ts';
import { refuseOpenTrust } from './open-trust.ts';

const upstream = parseUpstream('postgres://ann@db.example/shop', '--upstream');
const refused = (code: string, asked: boolean): UpstreamProbe => ({
  kind: 'refused',
  asked,
  code,
  message: `refused with ${code}`,
});

describe('an endpoint open to other machines', () => {
  for (const [what, probe] of [
    ['a password is asked for that we do not have', { kind: 'asked' }],
    ['a password is asked for and right', { kind: 'admitted', asked: true }],
    ['a password is asked for and wrong', refused('28P01', true)],
    ['a password is asked for and the database is not there', refused('3D000', true)],
  ] as const satisfies readonly (readonly [string, UpstreamProbe])[]) {
    it(`may start when ${what}`, async () => {
      assert.deepEqual(await said([probe]), []);
    });
  }

  it('may not start when nobody asks for a password', async () => {
    await assert.rejects(said([{ kind: 'admitted', asked: false }]), {
      message:
        'the upstream lets user "ann" in without a password, ' +
        'and --listen 0.0.0.0:6432 is open to other machines',
    });
  });

  for (const code of ['3D000', '28000', '28P01', '42501']) {
    it(`may not start when it is refused with ${code} before it was asked`, async () => {
      await assert.rejects(said([refused(code, false)]), (error: PgError) => {
        assert.match(error.message, /^could not find out whether the upstream asks for passwords/);
        assert.match(error.detail ?? '', new RegExp(`user "ann" .*: refused with ${code}\\.`));
        assert.match(error.hint ?? '', /--allow-trust/);
        return true;
      });
    });
  }

  it('waits for a server that does not serve yet, and asks again', async () => {
    const probes: UpstreamProbe[] = [
      { kind: 'unreachable', failure: 'no-answer', cause: new TypeError('nobody there') },
      refused('57P03', false),
      refused('53300', true),
      { kind: 'asked' },
    ];
    assert.deepEqual(await said(probes), [
      'the upstream does not serve: db.example:5432 does not answer: nobody there\n' +
        'HINT:  Start the server, or correct the host and port in the URL of --upstream.\n' +
        'waiting until it does',
    ]);
    assert.equal(probes.length, 0);
  });
});

/** The lines said while the server answers in this way, one probe after the other. */
async function said(probes: UpstreamProbe[]): Promise<string[]> {
  const lines: string[] = [];
  await refuseOpenTrust({
    upstream,
    listen: { host: '0.0.0.0', port: 6432 },
    say: (line) => lines.push(line),
    signal: new AbortController().signal,
    probe: async () => {
      const probe = probes.shift();
      assert.ok(probe, 'it was asked too often');
      return probe;
    },
  });
  return lines;
}
