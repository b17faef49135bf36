/** Neighbouring slices of one buffer, forwarded in one write. */
export class ForwardRun {
  readonly #write: (bytes: Buffer) => void;
  #bytes: Buffer | undefined;
  #start = 0;
  #end = 0;

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  add(bytes: Buffer, start: number, end: number): void {
    if (this.#bytes === bytes && this.#end === start) {
      this.#end = end;
      return;
    }
    this.flush();
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  flush(): void {
    const bytes = this.#bytes;
    if (bytes === undefined) return;
    this.#bytes = undefined;
    const whole = this.#start === 0 && this.#end === bytes.length;
    this.#write(whole ? bytes : bytes.subarray(this.#start, this.#end));
  }
}
