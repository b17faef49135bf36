// Compiles grammar/*.peggy to dist/grammar/<stem>.js. Kept apart from prepare.mjs, which runs before
// anything is installed, because this needs peggy.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import peggy from 'peggy';

const shared = 'lexical.peggy';

/** Throws nothing: answers what is wrong with a grammar, or undefined. */
export function buildGrammars(root) {
  const folder = join(root, 'grammar');
  const target = join(root, 'dist', 'grammar');
  const read = (file) => ({
    source: `grammar/${file}`,
    text: readFileSync(join(folder, file), 'utf8'),
  });
  const built = [];
  for (const file of readdirSync(folder)) {
    if (!file.endsWith('.peggy') || file === shared) continue;
    const sources = [read(file), read(shared)];
    try {
      const code = peggy.generate(sources, { format: 'es', output: 'source' });
      built.push({ name: `${file.slice(0, -'.peggy'.length)}.js`, code });
    } catch (error) {
      if (typeof error.format !== 'function') throw error;
      return error.format(sources);
    }
  }
  // A parser whose grammar is gone must not be loaded any more.
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const { name, code } of built) writeFileSync(join(target, name), code);
  return undefined;
}
