import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';

/** Where figures were taken. */
export type MachineFacts = {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly node: string;
  readonly heliosdb: string;
  /** Of the minute before anything was started. */
  readonly loadAverage: number;
};

const packageFile = new URL('../../package.json', import.meta.url);

export function machineFacts(): MachineFacts {
  const processors = cpus();
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
  return {
    processor: processors[0]?.model.trim() ?? 'not known',
    cores: processors.length,
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    heliosdb: version,
    loadAverage: loadavg()[0] ?? 0,
  };
}
