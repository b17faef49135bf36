import assert from 'node:assert/strict';
import { type Greeted, printGreeting } from './greeting.ts';

const addresses = {
  listen: { host: '0.0.0.0', port: 6432 },
  redis: { host: '127.0.0.1', port: 6380 },
};

const upstream: Greeted['upstream'] = {
  host: 'db.internal',
  port: 5432,
  user: 'app',
  password: 'secret',
  database: 'shop',
  sslMode: 'prefer',
  authority: undefined,
};

const node: Greeted = { capture: 'on', databases: ['shop'], redisAuth: false, upstream };

/** What comes behind the first command. */
function changesOf(greeted: Partial<Greeted>, at = addresses): readonly string[] {
  const lines = printGreeting(at, { ...node, ...greeted }).split('\n');
  return lines.slice(lines.findIndex((line) => line.endsWith('start"')) + 1);
}

describe('the greeting', () => {
  it('shows how the changes are read that are captured since the start', () => {
    assert.deepEqual(changesOf({}), [
      'Change something, and read the change:',
      '  psql -h 127.0.0.1 -p 6432 -U app shop -c "SHOW CDC EVENTS LIMIT 10"',
      '  redis-cli -h 127.0.0.1 -p 6380 XREAD COUNT 10 STREAMS heliosdb:cdc 0',
    ]);
  });

  it('says that the first question begins capture, and whom Redis is to be told', () => {
    assert.deepEqual(changesOf({ capture: 'on-demand', redisAuth: true, databases: ['other'] }), [
      'Changes are captured from the first SHOW CDC EVENTS on: ask, change something, ask again:',
      '  psql -h 127.0.0.1 -p 6432 -U app other -c "SHOW CDC EVENTS LIMIT 10"',
      '  redis-cli -h 127.0.0.1 -p 6380 --user app --askpass XREAD COUNT 10 STREAMS heliosdb:cdc 0',
    ]);
  });

  it('shows no command that a node has nothing for', () => {
    assert.deepEqual(changesOf({ capture: 'off' }), []);
    assert.equal(printGreeting({}, node), 'heliosdb ready');
  });

  it('writes names as a shell takes them, and never the password', () => {
    const text = printGreeting(addresses, {
      ...node,
      redisAuth: true,
      databases: ["it's $HOME"],
      upstream: { ...upstream, user: 'a b' },
    });
    assert.ok(text.includes(`-U 'a b' 'it'\\''s $HOME' -c "SHOW`), text);
    assert.ok(text.includes("--user 'a b' --askpass"));
    assert.ok(!text.includes('secret'));
  });
});
