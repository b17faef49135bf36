import assert from 'node:assert/strict';
import { parseUpstream, printUpstream } from './upstream.ts';

const source = '--upstream';

describe('the URL of an upstream', () => {
  it('has defaults as libpq does', () => {
    assert.deepEqual(parseUpstream('postgres://', source), {
      host: 'localhost',
      port: 5432,
      user: 'postgres',
      password: undefined,
      database: 'postgres',
      sslMode: 'prefer',
      authority: undefined,
    });
    assert.equal(parseUpstream('postgresql://ann@db', source).database, 'ann');
  });

  it('says everything', () => {
    const url = 'postgres://ann:s%3Ae@c:ret@db.example:6543/shop?sslmode=require';
    const upstream = parseUpstream(url, source);
    assert.equal(upstream.user, 'ann');
    assert.equal(upstream.password, 's:e@c:ret');
    assert.equal(upstream.host, 'db.example');
    assert.equal(upstream.port, 6543);
    assert.equal(upstream.database, 'shop');
    assert.equal(upstream.sslMode, 'require');
  });

  it('may be a unix socket, written in either way', () => {
    for (const url of [
      'postgres:///shop?host=/run/postgresql',
      'postgres://ann@/shop?host=/run/postgresql',
      'postgres://%2Frun%2Fpostgresql/shop',
    ]) {
      const upstream = parseUpstream(url, source);
      assert.equal(upstream.host, '/run/postgresql');
      assert.equal(printUpstream(upstream), '/run/postgresql/.s.PGSQL.5432');
    }
  });

  it('may have an address of version 6', () => {
    const upstream = parseUpstream('postgres://[::1]:5433/shop', source);
    assert.equal(upstream.host, '::1');
    assert.equal(printUpstream(upstream), '[::1]:5433');
  });

  it('is refused when it is none, without telling the password', () => {
    for (const url of [
      'mysql://ann:secret@db/shop',
      'postgres://ann:secret@db:port/shop',
      'postgres://ann:secret@a,b/shop',
      'postgres://ann:secret@db/shop?sslmode=maybe',
      'postgres://ann:secret@db/shop?timeout=3',
      'postgres://ann:secret@db/%zz',
      'postgres://ann:sec/ret@db:99999/shop',
      'postgres://ann:sec@ret@db:99999/shop',
      'postgres://ann:sec?ret@db:99999/shop',
      'postgres://ann:sec#ret@db:99999/shop',
      'postgres://ann:secret',
      'postgres://ann:sec?ret',
      'postgres://ann:secret/shop',
      'postgres://ann@db:port/shop?password=secret',
      'postgres://db:99999/shop?host=db&password=secret',
      'host=db password=secret',
      "host=db password = 'sec ret'",
      'ann:secret@db/shop',
      'ann:sec:ret@db/shop',
      'ann:sec@ret@db/shop',
      'secret',
    ]) {
      assert.throws(
        () => parseUpstream(url, source),
        ({ message }: Error) => message.includes(source) && !/sec|ret/.test(message),
        url,
      );
    }
  });

  it('is refused with the part that says where it leads', () => {
    assert.throws(() => parseUpstream('postgres://ann:x@db:99999/shop?sslmode=require', source), {
      message:
        'invalid value "postgres://***@db:***/shop?***" for --upstream: expected a port up to 65535',
    });
  });

  it('has one host, also as a parameter', () => {
    assert.throws(() => parseUpstream('postgres:///shop?host=a,b', source), /with one host$/);
  });
});
