const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  a: '\x07',
};

/**
 * The arguments of an inline request, as somebody types it into telnet: separated by blanks, in
 * double quotes with escapes, in single quotes without. Undefined when quotes do not balance. Texts
 * are Latin-1, one unit per byte.
 */
export function splitInlineRequest(line: string): Buffer[] | undefined {
  const args: Buffer[] = [];
  let at = 0;
  for (;;) {
    while (isBlank(line[at])) at++;
    if (at >= line.length) return args;
    const read = readArgument(line, at);
    if (read === undefined) return undefined;
    args.push(Buffer.from(read.text, 'latin1'));
    at = read.end;
  }
}

type Read = { readonly text: string; readonly end: number };

/** An argument, which quoted parts may begin in the middle of but must end. */
function readArgument(line: string, start: number): Read | undefined {
  let text = '';
  let at = start;
  while (at < line.length && !isBlank(line[at])) {
    const quote = line[at];
    if (quote !== '"' && quote !== "'") {
      text += quote;
      at += 1;
      continue;
    }
    const quoted = quote === '"' ? readDoubleQuoted(line, at + 1) : readSingleQuoted(line, at + 1);
    if (quoted === undefined) return undefined;
    if (quoted.end < line.length && !isBlank(line[quoted.end])) return undefined;
    return { text: text + quoted.text, end: quoted.end };
  }
  return { text, end: at };
}

function readDoubleQuoted(line: string, start: number): Read | undefined {
  let text = '';
  for (let at = start; at < line.length; at++) {
    const unit = line[at]!;
    if (unit === '"') return { text, end: at + 1 };
    if (unit !== '\\') {
      text += unit;
      continue;
    }
    const hex = /^x([0-9a-fA-F]{2})/.exec(line.slice(at + 1, at + 4));
    if (hex !== null) {
      text += String.fromCharCode(Number.parseInt(hex[1]!, 16));
      at += 3;
      continue;
    }
    at += 1;
    if (at >= line.length) return undefined;
    text += escapes[line[at]!] ?? line[at];
  }
  return undefined;
}

function readSingleQuoted(line: string, start: number): Read | undefined {
  let text = '';
  for (let at = start; at < line.length; at++) {
    if (line[at] === "'") return { text, end: at + 1 };
    if (line[at] === '\\' && line[at + 1] === "'") at += 1;
    text += line[at];
  }
  return undefined;
}

function isBlank(unit: string | undefined): boolean {
  return unit !== undefined && (unit === ' ' || (unit >= '\t' && unit <= '\r'));
}
