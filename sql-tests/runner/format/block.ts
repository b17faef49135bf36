/**
 * A file is a list of blocks parted by empty lines. A block is a head line, a body (SQL, or the
 * argument of an action) and, after a line `----`, what is expected.
 */
export type Block = {
  /** 1-based line of the head. */
  readonly line: number;
  readonly head: string;
  readonly body: string;
  /** Undefined when the block has no `----`. */
  readonly expected: readonly string[] | undefined;
  /** 1-based line after the last of the block. */
  readonly endLine: number;
};

const separator = '----';

export function splitBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; ) {
    const from = at;
    while (at < lines.length && lines[at] !== '') at += 1;
    const block = readBlock(lines.slice(from, at), from + 1);
    if (block !== undefined) blocks.push(block);
    at += 1;
  }
  return blocks;
}

/** Leading lines with `#` are remarks; a block of nothing else is none. */
function readBlock(lines: readonly string[], firstLine: number): Block | undefined {
  const remarks = lines.findIndex((line) => !line.startsWith('#'));
  if (lines.length === 0 || remarks === -1) return undefined;
  const [head = '', ...rest] = lines.slice(remarks);
  const cut = rest.indexOf(separator);
  return {
    line: firstLine + remarks,
    head,
    body: (cut === -1 ? rest : rest.slice(0, cut)).join('\n'),
    expected: cut === -1 ? undefined : rest.slice(cut + 1),
    endLine: firstLine + lines.length,
  };
}

/** What `--update` found out about a block; what is undefined stays as it is. */
export type BlockEdit = {
  readonly block: Block;
  readonly head?: string;
  readonly expected?: readonly string[];
};

/** The file's text with the edits made; everything else is kept byte for byte. */
export function applyEdits(text: string, edits: readonly BlockEdit[]): string {
  const lines = text.split('\n');
  // From the bottom up, so that the line numbers of the edits to come stay true.
  for (const { block, head, expected } of edits.toSorted((a, b) => b.block.line - a.block.line)) {
    if (expected !== undefined) {
      const kept = block.expected === undefined ? 0 : block.expected.length + 1;
      const from = block.endLine - 1 - kept;
      lines.splice(from, kept, separator, ...expected);
    }
    if (head !== undefined) lines[block.line - 1] = head;
  }
  return lines.join('\n');
}
