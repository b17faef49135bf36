import { loadModule, parseSync, SqlError } from 'libpg-query';

/** A node of Postgres's parse tree as libpg-query gives it: one key, its tag, over its body. */
export type Node = { readonly [tag: string]: Body };
/** The fields of a node. Fields that hold their default (0, false, empty) are absent. */
export type Body = { readonly [field: string]: unknown };

/** One statement of a text: its node and its byte range. */
export type RawStatement = {
  readonly node: Node;
  /** UTF-8 offset of the first byte, blanks and comments before the statement included. */
  readonly startByte: number;
  /** UTF-8 length; 0 means to the end of the text. */
  readonly byteLength: number;
};

/**
 * Parses a text with Postgres's own grammar. Answers null when the grammar refuses it.
 *
 * Throws what the WASM module throws when its stack runs out: after that the instance must not be
 * used again, which is why callers live in a worker that is thrown away (docs/decisions/0002).
 */
export async function parseStatements(text: string): Promise<readonly RawStatement[] | null> {
  await loadModule();
  try {
    const tree = parseSync(text) as unknown as { stmts?: readonly Body[] };
    return (tree.stmts ?? []).map((raw) => ({
      node: raw['stmt'] as Node,
      startByte: (raw['stmt_location'] as number | undefined) ?? 0,
      byteLength: (raw['stmt_len'] as number | undefined) ?? 0,
    }));
  } catch (error) {
    if (error instanceof SqlError) return null;
    throw error;
  }
}

/** The tag of a node, such as `FuncCall`. */
export function tagOf(node: Node): string {
  return Object.keys(node)[0] ?? '';
}

/** The body of a node when it has this tag. */
export function bodyOf(node: unknown, tag: string): Body | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  return (node as Node)[tag];
}

/** A field that holds a list of nodes; absent means empty. */
export function listOf(body: Body, field: string): readonly Node[] {
  return (body[field] as readonly Node[] | undefined) ?? [];
}

/** The byte offset a node carries: -1 when it has none, 0 is left out by the serializer. */
export function locationOf(body: Body): number {
  return (body['location'] as number | undefined) ?? 0;
}

/** The strings of a name list such as funcname or fields; `*` for a star. */
export function namesOf(nodes: readonly Node[]): readonly string[] {
  return nodes.map((node) => (bodyOf(node, 'String')?.['sval'] as string | undefined) ?? '*');
}

/**
 * Calls `visit` for every node below (and including) `value`, outer ones first; false stops the
 * descent there. Loops instead of recursing, because a chain of operators nests as deep as it is
 * long.
 */
export function walk(
  value: unknown,
  visit: (tag: string, body: Body) => boolean | undefined,
): void {
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next !== 'object' || next === null) continue;
    const children: unknown[] = [];
    for (const [key, child] of Object.entries(next)) {
      const isNode = isTag(key) && typeof child === 'object' && child !== null;
      if (isNode && !Array.isArray(child) && visit(key, child as Body) === false) continue;
      children.push(child);
    }
    pending.push(...children.reverse());
  }
}

/** Tags start with a capital letter, fields do not. */
function isTag(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 65 && first <= 90;
}

/**
 * Whether two trees are the same but for where they stand in the text.
 *
 * @param column what a column reference is compared by; as it is typed when left out
 */
export function sameTree(
  left: unknown,
  right: unknown,
  column: (names: readonly string[]) => readonly string[] = (names) => names,
): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return false;
  }
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => sameTree(item, right[index], column));
  }
  const leftKeys = Object.keys(left).filter(isMeaning);
  const rightKeys = Object.keys(right).filter(isMeaning);
  if (leftKeys.length !== rightKeys.length) return false;
  return leftKeys.every((key) => {
    const [leftField, rightField] = [(left as Body)[key], (right as Body)[key]];
    if (key === 'fields') {
      const [leftNames, rightNames] = [left, right].map((body) =>
        column(namesOf(listOf(body as Body, key))),
      ) as [readonly string[], readonly string[]];
      return (
        leftNames.length === rightNames.length &&
        leftNames.every((name, index) => name === rightNames[index])
      );
    }
    return sameTree(leftField, rightField, column);
  });
}

function isMeaning(key: string): boolean {
  return (
    key !== 'location' &&
    key !== 'list_start' &&
    key !== 'list_end' &&
    !key.startsWith('rexpr_list_')
  );
}

/** The smallest explicit location below a node that is the same for equal trees. */
export function firstLocation(value: unknown): number | undefined {
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = firstLocation(item);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const own = (value as Body)['location'];
  if (typeof own === 'number' && own > 0) return own;
  return firstLocation(Object.values(value));
}
