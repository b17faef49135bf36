import { openFrame } from './frame-cursor.ts';
import { pgoutputMessage } from './message-type.ts';

/** Says nothing but that the piece has ended; checks that it is one. */
export function checkStreamStop(bytes: Buffer, start: number, end: number): void {
  openFrame(bytes, start, end, pgoutputMessage.streamStop).finish();
}
