import type { LogReader } from '../../contracts/log-reader.ts';
import type { EventsRead } from '../../contracts/rewriter.ts';

/** Asks the client's own backend, unseen by it; rejects with `AnswerGiven` when that failed. */
export type Ask = (question: {
  readonly text: string;
  readonly parameters: readonly string[];
  /** The text is the client's WHERE: it has the statement's own parameters, and no others. */
  readonly isClients?: boolean;
}) => Promise<string | null>;

export type Offering = {
  readonly reader: LogReader;
  readonly read: EventsRead;
  readonly ask: Ask;
  /** Whether the JSON has to be ASCII: the client's encoding may lack what is in it. */
  readonly isAscii: boolean;
  /** Until the end of the transaction, which what reads the rows is part of. */
  readonly isLocal: boolean;
  /** Lets other sessions have their turn; rejects when the statement was cancelled meanwhile. */
  readonly pause: () => Promise<void>;
};
