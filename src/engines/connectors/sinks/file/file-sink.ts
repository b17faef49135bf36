import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenSink, Sink } from '../../../../contracts/sink.ts';
import { sinkFailed } from '../../../../core/errors/connectors.ts';

const rotateBytesStandard = 128 * 1024 * 1024;

/** Newline-delimited JSON, one file after the other, on the disk before it counts as delivered. */
export const openFileSink: OpenSink = async ({ connector, options }) => {
  const directory = options['directory'] ?? '.';
  const files = new RotatedFiles(directory, encodeURIComponent(connector), rotateBytesStandard);
  const sink: Sink = {
    async deliver(batch) {
      try {
        await files.append(batch.map(({ value }) => `${value}\n`).join(''));
      } catch (error) {
        throw sinkFailed(`could not write to directory "${directory}"`, error, {
          hint: 'Make room, or give the user of the node the right to write there.',
        });
      }
    },
    close: () => files.close(),
  };
  return sink;
};

/** Files with numbers that grow; the last one is written to. */
class RotatedFiles {
  readonly #directory: string;
  readonly #name: string;
  readonly #bytesMax: number;
  #file: FileHandle | undefined;
  #number = 0;
  #bytes = 0;

  constructor(directory: string, name: string, bytesMax: number) {
    this.#directory = directory;
    this.#name = name;
    this.#bytesMax = bytesMax;
  }

  async append(text: string): Promise<void> {
    this.#file ??= await this.#openLast();
    if (this.#bytes >= this.#bytesMax) await this.#rotate();
    const bytes = Buffer.from(text);
    await this.#file.appendFile(bytes);
    await this.#file.datasync();
    this.#bytes += bytes.length;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #openLast(): Promise<FileHandle> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const numbers = (await readdir(this.#directory)).flatMap((file) => this.#numberOf(file) ?? []);
    this.#number = Math.max(1, ...numbers);
    return this.#open();
  }

  async #rotate(): Promise<void> {
    await this.#file?.close();
    this.#number += 1;
    this.#file = await this.#open();
  }

  async #open(): Promise<FileHandle> {
    const path = join(this.#directory, this.#fileOf(this.#number));
    const file = await open(path, 'a+', 0o600);
    this.#bytes = await wholeLines(file);
    await file.truncate(this.#bytes);
    return file;
  }

  #fileOf(number: number): string {
    return `${this.#name}-${String(number).padStart(8, '0')}.ndjson`;
  }

  #numberOf(file: string): number | undefined {
    if (!file.startsWith(`${this.#name}-`) || !file.endsWith('.ndjson')) return undefined;
    const digits = file.slice(this.#name.length + 1, -'.ndjson'.length);
    return /^\d{8,}$/.test(digits) ? Number(digits) : undefined;
  }
}

const lookedAtBytes = 64 * 1024;
const newline = 0x0a;

/** Up to where a file has whole lines: whoever wrote it may have ended within one. */
async function wholeLines(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  for (let end = size; end > 0; end -= lookedAtBytes) {
    const from = Math.max(0, end - lookedAtBytes);
    const { buffer } = await file.read(Buffer.alloc(end - from), 0, end - from, from);
    const last = buffer.lastIndexOf(newline);
    if (last >= 0) return from + last + 1;
  }
  return 0;
}
