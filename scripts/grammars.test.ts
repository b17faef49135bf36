import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

type Grammars = { buildGrammars(root: string): string | undefined };
type Parser = { parse(text: string): unknown };

describe('compiling grammars', () => {
  let root: string;
  const write = (file: string, text: string): void => writeFileSync(join(root, file), text);
  const build = async (): Promise<string | undefined> => {
    const url = pathToFileURL(resolve('scripts/grammars.mjs')).href;
    return ((await import(url)) as Grammars).buildGrammars(root);
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'heliosdb-grammars-'));
    mkdirSync(join(root, 'grammar'));
    write('package.json', '{"type": "module"}');
    write('grammar/lexical.peggy', 'Word = $[a-z]+');
    write('grammar/one.peggy', 'Start = "one " @Word');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('makes a parser of each file, with the shared rules behind it', async () => {
    assert.equal(await build(), undefined);
    assert.deepEqual(readdirSync(join(root, 'dist/grammar')), ['one.js']);
    const parser = (await import(pathToFileURL(join(root, 'dist/grammar/one.js')).href)) as Parser;
    assert.equal(parser.parse('one thing'), 'thing');
  });

  it('removes the parser of a grammar that is gone', async () => {
    await build();
    rmSync(join(root, 'grammar/one.peggy'));
    write('grammar/two.peggy', 'Start = Word');
    await build();
    assert.deepEqual(readdirSync(join(root, 'dist/grammar')), ['two.js']);
  });

  it('says where a grammar is wrong, and leaves the parsers as they were', async () => {
    await build();
    write('grammar/one.peggy', 'Start = Wird');
    assert.match((await build()) ?? '', /Rule "Wird" is not defined[\s\S]*grammar\/one\.peggy:1:9/);
    assert.ok(existsSync(join(root, 'dist/grammar/one.js')));
  });
});
