/** Whether a column is kept out of the log, by the dotted names of ALTER CDC CAPTURE EXCLUDE. */
export function excludedColumns(
  names: readonly string[],
): (schema: string, table: string, column: string) => boolean {
  const excluded = new Set(names.map((name) => splitDotted(name).join('\0')));
  return (schema, table, column) => excluded.has([schema, table, column].join('\0'));
}

/** The parts of a dotted name: what is quoted is taken as it is, the rest is in lower case. */
function splitDotted(name: string): string[] {
  const parts: string[] = [];
  for (const match of name.matchAll(/"((?:[^"]|"")*)"|([^."]+)/g)) {
    const [, quoted, plain] = match;
    parts.push(quoted === undefined ? plain!.trim().toLowerCase() : quoted.replaceAll('""', '"'));
  }
  return parts.length === 2 ? ['public', ...parts] : parts;
}
