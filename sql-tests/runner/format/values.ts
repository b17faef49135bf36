/** How values are written in test files, so that a row is one line and nothing is ambiguous. */
const spelledOut: ReadonlyMap<string, string> = new Map([
  ['', '(empty)'],
  ['NULL', '\\NULL'],
  ['(empty)', '\\(empty)'],
  ['<any>', '\\<any>'],
]);

const escapes: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\r', '\\r'],
]);

/** Stands in an expected row for one value that differs from run to run. */
export const anyValue = '<any>';

export function printText(text: string): string {
  return (
    spelledOut.get(text) ?? text.replace(/[\\\t\n\r]/g, (found) => escapes.get(found) ?? found)
  );
}

/** A column value as it came: text in text format, hexadecimal digits in binary format. */
export function printValue(
  value: Buffer | null,
  format: { binary: boolean; encoding: BufferEncoding },
): string {
  if (value === null) return 'NULL';
  if (!format.binary) return printText(value.toString(format.encoding));
  return value.length === 0 ? '(empty)' : `0x${value.toString('hex')}`;
}

/** The text a written value stands for; null for NULL. */
export function readValue(written: string): string | null {
  if (written === 'NULL') return null;
  for (const [text, spelling] of spelledOut) if (written === spelling) return text;
  return written.replace(/\\([\\tnr])/g, (_, letter: string) => {
    for (const [text, spelling] of escapes) if (spelling === `\\${letter}`) return text;
    return letter;
  });
}
