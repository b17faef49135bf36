/** First byte of the messages of pgoutput, protocol versions 1 and 2. */
export const pgoutputMessage = {
  begin: 0x42, // B
  commit: 0x43, // C
  delete: 0x44, // D
  insert: 0x49, // I
  message: 0x4d, // M
  origin: 0x4f, // O
  relation: 0x52, // R
  streamAbort: 0x41, // A
  streamCommit: 0x63, // c
  streamStart: 0x53, // S
  streamStop: 0x45, // E
  truncate: 0x54, // T
  type: 0x59, // Y
  update: 0x55, // U
} as const;

/** Whether, between Stream Start and Stream Stop, a (sub)transaction id follows the type byte. */
export function hasSubxid(type: number): boolean {
  switch (type) {
    case pgoutputMessage.relation:
    case pgoutputMessage.type:
    case pgoutputMessage.insert:
    case pgoutputMessage.update:
    case pgoutputMessage.delete:
    case pgoutputMessage.truncate:
    case pgoutputMessage.message:
      return true;
    default:
      return false;
  }
}

/**
 * Where, counted from the type byte, a message has the OID of its relation; -1 for one that names
 * none or, as Truncate, several.
 */
export function relationOffset(type: number, streamed: boolean): number {
  switch (type) {
    case pgoutputMessage.relation:
    case pgoutputMessage.insert:
    case pgoutputMessage.update:
    case pgoutputMessage.delete:
      return streamed ? 5 : 1;
    default:
      return -1;
  }
}
