/** How deep jsonb may be nested here: each level takes of Postgres's max_stack_depth. */
const depthMax = 5_000;
/** Of numeric, before and behind the point. */
const integerDigitsMax = 131_072;
const fractionDigitsMax = 16_383;

const quote = 0x22;
const backslash = 0x5c;

/**
 * Whatever is not found here is readable: no number of it comes near the limits of numeric. What
 * looks back keeps it from walking through each run of digits as often as that has digits.
 */
const suspicious = /\\u|[eE][+-]?\d{5}|(?<!\d)\d{6000}/;

const numberPattern = /-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?/y;

/**
 * Whether Postgres can make a jsonb of what it accepted as json: not of the escape of NUL and of
 * halves of surrogate pairs, of numbers that numeric cannot hold, of what is nested too deep, nor,
 * in a database that is not in UTF-8, of every other escape. Errs on the side of no.
 */
export function isReadable(json: string, isUtf8: boolean): boolean {
  if (!suspicious.test(json) && !mayBeDeep(json)) return true;
  let depth = 0;
  for (let at = 0; at < json.length; ) {
    const unit = json.charCodeAt(at);
    if (unit === quote) {
      const end = endOfReadableString(json, at + 1, isUtf8);
      if (end === undefined) return false;
      at = end;
    } else if (isDigit(unit) || unit === 0x2d) {
      numberPattern.lastIndex = at;
      const match = numberPattern.exec(json);
      if (match === null || !isNumeric(match)) return false;
      at = numberPattern.lastIndex;
    } else {
      if (unit === 0x5b || unit === 0x7b) depth += 1;
      if (unit === 0x5d || unit === 0x7d) depth -= 1;
      if (depth > depthMax) return false;
      at += 1;
    }
  }
  return true;
}

/** Each level needs a bracket on either side, also when some are inside of strings. */
function mayBeDeep(json: string): boolean {
  if (json.length <= 2 * depthMax) return false;
  let opened = 0;
  for (let at = 0; at < json.length && opened <= depthMax; at += 1) {
    const unit = json.charCodeAt(at);
    if (unit === 0x5b || unit === 0x7b) opened += 1;
  }
  return opened > depthMax;
}

function isNumeric([, integer, fraction, exponent]: RegExpExecArray): boolean {
  const power = Number(exponent ?? 0);
  const fractionDigits = (fraction?.length ?? 0) - power;
  return integer!.length + power <= integerDigitsMax && fractionDigits <= fractionDigitsMax;
}

/** Behind the closing quote; undefined when the string has an escape that is not readable. */
function endOfReadableString(json: string, from: number, isUtf8: boolean): number | undefined {
  for (let at = from; at < json.length; ) {
    const unit = json.charCodeAt(at);
    if (unit === quote) return at + 1;
    if (unit !== backslash) at += 1;
    else {
      const bytes = readableEscape(json, at, isUtf8);
      if (bytes === undefined) return undefined;
      at += bytes;
    }
  }
  return json.length;
}

/** How many units the escape at `at` has; undefined when Postgres cannot read it. */
function readableEscape(json: string, at: number, isUtf8: boolean): number | undefined {
  const unit = escapedUnit(json, at);
  if (unit === undefined) return 2;
  if (unit === 0 || isLowSurrogate(unit) || (unit > 0x7f && !isUtf8)) return undefined;
  if (!isHighSurrogate(unit)) return 6;
  const next = escapedUnit(json, at + 6);
  return next !== undefined && isLowSurrogate(next) ? 12 : undefined;
}

/** The UTF-16 unit of the `\uXXXX` at `at`; undefined when there is another escape or none. */
function escapedUnit(json: string, at: number): number | undefined {
  return json.startsWith('\\u', at) ? Number.parseInt(json.slice(at + 2, at + 6), 16) : undefined;
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
