import type { PositionMap } from '../contracts/rewriter.ts';
import type { TextCoding } from '../protocol/client-encoding.ts';

/** Translates error positions (1-based, in characters) of one rewritten text. */
export type PositionTranslator = {
  /** From the sent text to the client's. */
  readonly fromSent: (position: number) => number;
  /** From the rewriter's count in the client's text to the one the client expects. */
  readonly fromClient: (position: number) => number;
};

/** 1-based in the sent text to 1-based in the client's text. */
export function mapPosition(positions: PositionMap, position: number): number {
  const at = position - 1;
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (positions[middle]!.sent <= at) low = middle + 1;
    else high = middle;
  }
  const segment = positions[low - 1];
  if (segment === undefined) return 1;
  return 1 + segment.client + (segment.copied ? at - segment.sent : 0);
}

/**
 * The rewriter counts what its strings are made of. Where a character of the session's encoding is
 * several bytes and the strings hold bytes (EUC), positions are converted on the way in and out.
 */
export function positionTranslator(options: {
  readonly positions: PositionMap;
  readonly coding: TextCoding;
  readonly sentText: string;
  readonly clientText: string;
}): PositionTranslator {
  const { characterUnits } = options.coding;
  return characterUnits === undefined
    ? sameCount(options.positions)
    : converted({ ...options, characterUnits });
}

/** Keeps nothing but the map: as many texts may be remembered as a session has statements. */
function sameCount(positions: PositionMap): PositionTranslator {
  return {
    fromSent: (position) => mapPosition(positions, position),
    fromClient: (position) => position,
  };
}

function converted(options: {
  readonly positions: PositionMap;
  readonly characterUnits: CharacterUnits;
  readonly sentText: string;
  readonly clientText: string;
}): PositionTranslator {
  const { positions, characterUnits, sentText, clientText } = options;
  const fromClient = (unit: number): number =>
    characterOfUnit(clientText, unit - 1, characterUnits) + 1;
  return {
    fromSent: (position) =>
      fromClient(
        mapPosition(positions, unitOfCharacter(sentText, position - 1, characterUnits) + 1),
      ),
    fromClient,
  };
}

type CharacterUnits = NonNullable<TextCoding['characterUnits']>;

function unitOfCharacter(text: string, character: number, units: CharacterUnits): number {
  let unit = 0;
  for (let i = 0; i < character && unit < text.length; i++) unit += units(text, unit);
  return unit;
}

function characterOfUnit(text: string, unit: number, units: CharacterUnits): number {
  let characters = 0;
  for (let at = 0; at < unit && at < text.length; at += units(text, at)) characters++;
  return characters;
}
