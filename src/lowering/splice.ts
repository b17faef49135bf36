import type { PositionMap, PositionSegment } from '../contracts/rewriter.ts';
import { characterCounter, charactersBefore } from '../sql/source.ts';

/**
 * A piece of lowered text: copied from the client's text, or generated for the construct that
 * starts at `anchor` (UTF-16 offsets of the client's text).
 */
export type Piece =
  | { readonly kind: 'copied'; readonly start: number; readonly end: number }
  | { readonly kind: 'generated'; readonly text: string; readonly anchor: number };

export type Pieces = readonly Piece[];

/** Generated text that stands for the construct at `anchor`. */
export function generated(text: string, anchor: number): Piece {
  return { kind: 'generated', text, anchor };
}

/** Fills `{0}`, `{1}` ... of a template with pieces, so that positions inside them survive. */
export function template(text: string, anchor: number, ...parts: readonly Pieces[]): Pieces {
  const pieces: Piece[] = [];
  for (const [index, chunk] of text.split(/\{(\d+)\}/).entries()) {
    if (index % 2 === 1) pieces.push(...(parts[Number(chunk)] ?? []));
    else if (chunk !== '') pieces.push(generated(chunk, anchor));
  }
  return pieces;
}

type Edit = { readonly start: number; readonly end: number; readonly pieces: Pieces };

/** Replacements of stretches of the client's text. A wider one hides those inside it. */
export class Edits {
  /** By start, then as `goesBefore` has it: a render looks at what is inside its stretch only. */
  readonly #edits: Edit[] = [];

  replace(start: number, end: number, pieces: Pieces): void {
    this.#add({ start, end, pieces });
  }

  insert(at: number, text: string): void {
    this.#add({ start: at, end: at, pieces: [generated(text, at)] });
  }

  /** Whether anything inside the stretch is replaced. */
  touches(start: number, end: number): boolean {
    for (const _ of this.#inside(start, end)) return true;
    return false;
  }

  /**
   * The stretch with its replacements made. Of two edits of the same stretch the later one counts,
   * because inner constructs are lowered before outer ones.
   */
  render(start: number, end: number): Pieces {
    const pieces: Piece[] = [];
    let at = start;
    for (const edit of this.#inside(start, end)) {
      if (edit.start < at) continue;
      if (edit.start > at) pieces.push({ kind: 'copied', start: at, end: edit.start });
      for (const piece of edit.pieces) pieces.push(piece);
      at = Math.max(at, edit.end);
    }
    if (at < end) pieces.push({ kind: 'copied', start: at, end });
    return pieces;
  }

  /** A copy to which one construct can add its own edits without the others seeing them. */
  fork(): Edits {
    const copy = new Edits();
    for (const edit of this.#edits) copy.#edits.push(edit);
    return copy;
  }

  #add(edit: Edit): void {
    const at = this.#firstNot((other) => other.start < edit.start || goesBefore(other, edit));
    this.#edits.splice(at, 0, edit);
  }

  *#inside(start: number, end: number): Generator<Edit> {
    for (let at = this.#firstNot((edit) => edit.start < start); at < this.#edits.length; at += 1) {
      const edit = this.#edits[at]!;
      if (edit.start > end) return;
      if (edit.end <= end) yield edit;
    }
  }

  /** Index of the first edit that is not before, by bisection. */
  #firstNot(isBefore: (edit: Edit) => boolean): number {
    let low = 0;
    let high = this.#edits.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(this.#edits[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Of edits at one place: insertions first, as they were made, then the widest and latest. */
function goesBefore(earlier: Edit, added: Edit): boolean {
  if (earlier.start !== added.start) return false;
  if (earlier.start === earlier.end) return true;
  return added.start !== added.end && earlier.end > added.end;
}

const endsWord = /[\w$\u0080-\uffff]$/;
const beginsWord = /^[\w$\u0080-\uffff'"]/;

/**
 * The pieces with a blank wherever two of them would grow into one token, as `w` and `AS` do when
 * the client wrote `HOP(...)AS`: brackets end a token, what stands for them may not.
 */
export function apart(source: string, pieces: Pieces): Pieces {
  const separate: Piece[] = [];
  let last = '';
  for (const piece of pieces) {
    const text = pieceText(source, piece);
    if (text === '') continue;
    const before = separate.at(-1);
    const goesOn =
      before?.kind === 'copied' && piece.kind === 'copied' && before.end === piece.start;
    if (!goesOn && endsWord.test(last) && beginsWord.test(text)) {
      separate.push(generated(' ', piece.kind === 'copied' ? piece.start : piece.anchor));
    }
    separate.push(piece);
    last = text;
  }
  return separate;
}

function pieceText(source: string, piece: Piece): string {
  return piece.kind === 'copied' ? source.slice(piece.start, piece.end) : piece.text;
}

/** The text of pieces. */
export function textOf(source: string, pieces: Pieces): string {
  let text = '';
  for (const piece of pieces) text += pieceText(source, piece);
  return text;
}

/** How characters of the text of `pieces` map back to characters of the client's text. */
export function positionsOf(source: string, pieces: Pieces): PositionMap {
  const segments: PositionSegment[] = [];
  const characters = characterCounter(source);
  let sent = 0;
  for (const piece of pieces) {
    const copied = piece.kind === 'copied';
    const client = characters(copied ? piece.start : piece.anchor);
    segments.push({ sent, client, copied });
    const text = pieceText(source, piece);
    sent += charactersBefore(text, text.length);
  }
  return segments;
}
