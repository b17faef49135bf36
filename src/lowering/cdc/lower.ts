import { parseCdc } from '../../sql/cdc/parse.ts';
import type { CdcStart } from '../../sql/cdc/statement-start.ts';
import type { LexerOptions } from '../../sql/lexer.ts';
import type { TokenRange } from '../../sql/source.ts';
import { lowerAlterCdcCapture } from './alter-cdc-capture.ts';
import {
  lowerAlterCdcConnector,
  lowerCreateCdcConnector,
  lowerDropCdcConnector,
  lowerShowCdcConnectors,
} from './connectors.ts';
import type { LoweredCdc } from './lowered-statement.ts';
import { checkEventsPlace, isBehindBegin } from './one-query.ts';
import { lowerShowCdcEvents, type Place } from './show-cdc-events.ts';
import { lowerShowCdcStatus } from './show-cdc-status.ts';

/**
 * A statement on change data capture as plain SQL; `ranges` are the statements of its Query. Throws
 * the PgError of a statement that is wrong.
 */
export async function lowerCdc(
  start: CdcStart,
  place: Place,
  { ranges, options }: { readonly ranges: readonly TokenRange[]; readonly options: LexerOptions },
): Promise<LoweredCdc> {
  const statement = await parseCdc(place.source, start, options);
  switch (statement.stem) {
    case 'show-cdc-events':
      checkEventsPlace(statement, place, ranges);
      return lowerShowCdcEvents(statement, place, {
        isBehindBegin: isBehindBegin(place, ranges),
        isAlone: ranges.length === 1,
      });
    case 'show-cdc-status':
      return lowerShowCdcStatus(statement, place.anchor);
    case 'alter-cdc-capture':
      return lowerAlterCdcCapture(statement, place.anchor);
    case 'create-cdc-connector':
      return lowerCreateCdcConnector(statement, place, {
        isBehindBegin: isBehindBegin(place, ranges),
        isAlone: ranges.length === 1,
      });
    case 'alter-cdc-connector':
      return lowerAlterCdcConnector(statement, place.anchor);
    case 'drop-cdc-connector':
      return lowerDropCdcConnector(statement, place.anchor);
    case 'show-cdc-connectors':
      return lowerShowCdcConnectors(statement, place.anchor);
  }
}
