/**
 * Whether a key matches a pattern as KEYS and SCAN take it: `*`, `?`, `[a-z]`, `[^a]`, and `\` before
 * what is meant literally. It goes back to the latest star only, so that no pattern takes long.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let startOfStar = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p;
      startOfStar = t;
      p += 1;
      continue;
    }
    const end = p < pattern.length ? matchOne(pattern, p, text[t]!) : undefined;
    if (end !== undefined) {
      p = end;
      t += 1;
    } else if (star !== -1) {
      startOfStar += 1;
      p = star + 1;
      t = startOfStar;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/** Where the pattern goes on when one unit matches; undefined when it does not. */
function matchOne(pattern: string, at: number, unit: string): number | undefined {
  switch (pattern[at]) {
    case '?':
      return at + 1;
    case '[':
      return matchClass(pattern, at + 1, unit);
    case '\\':
      if (at + 1 < pattern.length) return pattern[at + 1] === unit ? at + 2 : undefined;
      return unit === '\\' ? at + 1 : undefined;
    default:
      return pattern[at] === unit ? at + 1 : undefined;
  }
}

function matchClass(pattern: string, start: number, unit: string): number | undefined {
  let at = start;
  const isNegated = pattern[at] === '^';
  if (isNegated) at += 1;
  let isIn = false;
  while (at < pattern.length && pattern[at] !== ']') {
    if (pattern[at] === '\\' && at + 1 < pattern.length) at += 1;
    const from = pattern[at]!;
    let to = from;
    if (pattern[at + 1] === '-' && at + 2 < pattern.length) {
      to = pattern[at + 2]!;
      at += 2;
    }
    if ((from <= unit && unit <= to) || (to <= unit && unit <= from)) isIn = true;
    at += 1;
  }
  // A class that is not closed ends with the pattern, as in Redis.
  const end = Math.min(at + 1, pattern.length);
  return isIn === isNegated ? undefined : end;
}
