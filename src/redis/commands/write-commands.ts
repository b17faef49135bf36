/**
 * Commands of Redis that write, so that a client is told why they fail. All others that the
 * endpoint does not have are unknown to it.
 */
export const writeCommands: ReadonlySet<string> = new Set(
  `append bitfield bitop blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin copy decr
  decrby del eval evalsha expire expireat fcall flushall flushdb function geoadd georadius
  georadiusbymember geosearchstore getdel getex getset hdel hexpire hexpireat hincrby
  hincrbyfloat hmset hpersist hpexpire hpexpireat hset hsetnx incr incrby incrbyfloat linsert
  lmove lmpop lpop lpush lpushx lrem lset ltrim migrate move mset msetnx persist pexpire pexpireat
  pfadd pfcount pfmerge psetex publish rename renamenx restore rpop rpoplpush rpush rpushx sadd
  script sdiffstore set setbit setex setnx setrange sinterstore smove sort spop spublish srem
  sunionstore swapdb touch unlink xack xadd xautoclaim xclaim xdel xgroup xreadgroup xsetid
  xtrim zadd zdiffstore zincrby zinterstore zmpop zpopmax zpopmin zrangestore zrem zremrangebylex
  zremrangebyrank zremrangebyscore zunionstore`.split(/\s+/),
);
