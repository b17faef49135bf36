/** Something is wrong in a test file or with what it found; says where. */
export class TestFailure extends Error {
  readonly file: string;
  readonly line: number;

  constructor(file: string, line: number, message: string) {
    super(`${file}:${line}: ${message}`);
    this.name = 'TestFailure';
    this.file = file;
    this.line = line;
  }
}

/** What a block's action throws; the runner adds file and line. */
export class Mismatch extends Error {}
