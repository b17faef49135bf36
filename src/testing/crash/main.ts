/** `npm run crash -- --seconds 600 --seed N`: kills for as long as it is told to. */
import { parseArgs } from 'node:util';
import { CrashRun } from './crash-run.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    writers: { type: 'string', default: '4' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000_000));
const end = performance.now() + Number(values.seconds) * 1_000;
process.stdout.write(`seed ${seed}\n`);
const report = await CrashRun.run({
  seed,
  writers: Number(values.writers),
  goesOn: () => performance.now() < end,
  ...(values.verbose
    ? { trace: (line: string) => process.stdout.write(`${new Date().toISOString()} ${line}\n`) }
    : {}),
  say: (line) => process.stdout.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
process.exit(report.complaints.length === 0 ? 0 : 1);
