#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { configurationExitCode } from '../core/errors/configuration.ts';
import { PgError } from '../core/errors/pg-error.ts';
import { parseCommandLine } from './command-line.ts';
import { check } from './commands/check.ts';
import { start } from './commands/start.ts';
import { readConfiguration } from './config/read-configuration.ts';
import { printError } from './print-error.ts';

const packageFile = new URL('../../../package.json', import.meta.url);

try {
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
  const invocation = parseCommandLine(process.argv.slice(2), `heliosdb ${version}`);
  switch (invocation.command) {
    case 'print':
      process.stdout.write(`${invocation.text.trimEnd()}\n`);
      break;
    case 'check':
      process.exitCode = await check(readConfiguration(invocation.flags, process.env));
      break;
    case 'start':
      await start(readConfiguration(invocation.flags, process.env), version);
      break;
  }
  process.exit();
} catch (error) {
  if (!(error instanceof PgError)) throw error;
  process.stderr.write(`${printError(error)}\n`);
  process.exit(configurationExitCode);
}
