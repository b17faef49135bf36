import { decodedResponseBytesMax } from '../core/limits.ts';
import { withoutChannelBinding } from '../protocol/authentication-sasl.ts';
import { decodeCommandTag, encodeCommandComplete } from '../protocol/command-complete.ts';
import { decodeFirstValue, firstValue } from '../protocol/data-row.ts';
import { decodeResponseFields } from '../protocol/error-response.ts';
import { FrameReader } from '../protocol/frame-reader.ts';
import { headerBytes, serverMessage } from '../protocol/message-types.ts';
import { decodeParameterDescription } from '../protocol/parameter-description.ts';
import { decodeParameterStatus } from '../protocol/parameter-status.ts';
import { decodeReadyForQuery, readyForQueryBytes } from '../protocol/ready-for-query.ts';
import { ForwardRun } from './forward-run.ts';
import type { Note } from './lowered-statements.ts';
import type { SessionContext } from './session-context.ts';
import { rewordHidden, rewordResponse } from './statement-context.ts';
import type { Action } from './transitions.ts';

export type ResponseSideOptions = {
  /** The client's leg is in the clear and the server's is not: offer it nothing bound to TLS. */
  readonly hidesChannelBinding: boolean;
  /** After a chunk that changed what is owed. */
  readonly progressed: () => void;
};

/** Messages on which the forwarding of a kept expectation depends. */
const looksClosely: ReadonlySet<number> = new Set([
  serverMessage.authentication,
  serverMessage.backendKeyData,
  serverMessage.commandComplete,
  serverMessage.errorResponse,
  serverMessage.noticeResponse,
  serverMessage.parameterStatus,
]);

/** Server to client: forwards, keeps the response queue, hides probes, rewords errors. */
export class ResponseSide {
  readonly #context: SessionContext;
  readonly #options: ResponseSideOptions;
  readonly #reader: FrameReader;
  readonly #run: ForwardRun;
  #hiding = false;
  #lastType = 0;

  constructor(context: SessionContext, options: ResponseSideOptions) {
    this.#context = context;
    this.#options = options;
    this.#reader = new FrameReader((type, frameBytes) => this.#headBytes(type, frameBytes));
    this.#run = new ForwardRun((bytes) => context.wires.toClient(bytes));
  }

  /** Whether another message may be put behind what the client got. */
  get isAtBoundary(): boolean {
    return !this.#context.isOpaque && this.#reader.isAtBoundary;
  }

  /** The server has had its last word: an error. */
  get endedWithError(): boolean {
    return this.#lastType === serverMessage.errorResponse;
  }

  /** Bytes of a message that was never finished. */
  takeUnfinished(): Buffer {
    return this.#reader.takeUnread();
  }

  receive(chunk: Buffer): void {
    const { services, wires } = this.#context;
    if (this.#context.isOpaque) {
      this.#relayUnread(chunk);
      return;
    }
    this.#reader.push(chunk);
    let messages = 0;
    for (;;) {
      const step = this.#reader.next();
      if (step === 'hungry') break;
      if (step === 'broken') {
        this.#context.isOpaque = true;
        break;
      }
      if (step === 'rest') {
        if (!this.#hiding) this.#run.add(this.#reader.bytes, this.#reader.start, this.#reader.end);
        continue;
      }
      messages++;
      this.#message();
    }
    this.#run.flush();
    services.metrics.transferred('server-to-client', chunk.length, messages);
    if (this.#context.isOpaque) {
      services.logger.warn('upstream sent a message with an impossible length');
      wires.toClient(this.#reader.takeUnread());
    }
    if (messages > 0) this.#progressed();
  }

  /** When the other direction found its bytes broken, what this one held back goes first. */
  #relayUnread(chunk: Buffer): void {
    const unread = this.#reader.takeUnread();
    if (unread.length > 0) this.#context.wires.toClient(unread);
    this.#context.wires.toClient(chunk);
    this.#context.services.metrics.transferred('server-to-client', chunk.length, 0);
  }

  #progressed(): void {
    this.#context.noteServerProgress();
    this.#options.progressed();
  }

  #headBytes(type: number, frameBytes: number): number {
    switch (type) {
      case serverMessage.dataRow:
        return hasHiddenRows(this.#context.queue.headNote) ? whole(frameBytes) : headerBytes;
      case serverMessage.copyData:
        return headerBytes;
      case serverMessage.readyForQuery:
        return readyForQueryBytes;
      case serverMessage.parameterStatus:
      case serverMessage.authentication:
      case serverMessage.backendKeyData:
        return whole(frameBytes);
      case serverMessage.commandComplete:
        if (this.#context.statements.isTracking) return whole(frameBytes);
        return this.#context.queue.headNote === undefined ? headerBytes : whole(frameBytes);
      case serverMessage.errorResponse:
      case serverMessage.noticeResponse:
      case serverMessage.parameterDescription:
        return this.#context.queue.headNote === undefined ? headerBytes : whole(frameBytes);
      default:
        return headerBytes;
    }
  }

  #message(): void {
    const { bytes, start, end, type } = this.#reader;
    const { queue } = this.#context;
    const action = queue.actionFor(type);
    if (action === 'keep' && !looksClosely.has(type)) {
      this.#hiding = false;
      this.#lastType = type;
      this.#run.add(bytes, start, end);
      return;
    }
    const isHidden = action === 'hide' || action === 'hide-pop' || action === 'hide-ready';
    this.#hiding = isHidden && !this.#isFatal();
    if (this.#hiding) this.#observeHidden();
    else {
      this.#lastType = type;
      const replacement = this.#isWhole ? this.#replacement() : undefined;
      if (replacement === undefined) this.#run.add(bytes, start, end);
      else this.#run.add(replacement, 0, replacement.length);
    }
    this.#apply(action);
  }

  get #isWhole(): boolean {
    return this.#reader.end - this.#reader.start === this.#reader.frameBytes;
  }

  #apply(action: Action): void {
    const { queue, statements, services } = this.#context;
    const note = queue.headNote;
    switch (action) {
      case 'odd':
        services.logger.debug('unexpected message from the upstream server', {
          type: String.fromCharCode(this.#reader.type),
          expected: queue.head,
        });
        return;
      case 'pop':
      case 'hide-pop':
        if (note !== undefined) statements.confirm(note);
        break;
      case 'skip':
        if (note?.kind === 'probe') {
          if (queue.head !== 'probe-parse') this.#context.probesLeftBehind++;
          note.probe.failed();
        }
        if (note?.kind === 'question') note.question.failed();
        break;
      case 'hide-ready':
        queue.apply(action, decodeReadyForQuery(this.#reader.bytes, this.#reader.start));
        if (note?.kind === 'survey') note.survey.ended();
        return;
      case 'ready':
      case 'heal':
        if (queue.head === 'startup') this.#context.isStarted = true;
        queue.apply(action, decodeReadyForQuery(this.#reader.bytes, this.#reader.start));
        return;
      default:
        break;
    }
    queue.apply(action);
  }

  /** The last words of a backend are for the client, whatever it was asked. */
  #isFatal(): boolean {
    const { bytes, start, end, type } = this.#reader;
    if (type !== serverMessage.errorResponse || !this.#isWhole) return false;
    const severity = decodeResponseFields(bytes, start, end)?.get('V')?.toString('latin1');
    return severity === 'FATAL' || severity === 'PANIC';
  }

  /** The hidden answers of a probe or survey. */
  #observeHidden(): void {
    const note = this.#context.queue.headNote;
    const { bytes, start, end, type } = this.#reader;
    if (!this.#isWhole) return;
    if (note?.kind === 'probe') {
      if (type === serverMessage.closeComplete) note.probe.ended();
      else if (type === serverMessage.parameterDescription) {
        note.probe.types = decodeParameterDescription(bytes, start, end) ?? [];
      }
    } else if (note?.kind === 'survey') {
      if (type === serverMessage.dataRow) note.survey.value = decodeFirstValue(bytes, start, end);
      else if (type === serverMessage.errorResponse) {
        note.survey.error = decodeResponseFields(bytes, start, end);
      }
    } else if (note?.kind === 'question') {
      if (type === serverMessage.dataRow) note.question.value = firstValue(bytes, start, end);
      else if (type === serverMessage.closeComplete) note.question.answered();
    }
  }

  /** What the client gets instead of the current whole message. */
  #replacement(): Buffer | undefined {
    const { bytes, start, end, type } = this.#reader;
    switch (type) {
      case serverMessage.errorResponse:
      case serverMessage.noticeResponse:
        return this.#reworded();
      case serverMessage.commandComplete:
        return this.#retagged();
      case serverMessage.parameterStatus:
        this.#noteParameter();
        return undefined;
      case serverMessage.backendKeyData:
        this.#context.backendKey = Buffer.from(bytes.subarray(start + headerBytes, end));
        return undefined;
      case serverMessage.authentication:
        return this.#options.hidesChannelBinding
          ? withoutChannelBinding(bytes, start, end)
          : undefined;
      default:
        return undefined;
    }
  }

  #reworded(): Buffer | undefined {
    const { queue, statements, services } = this.#context;
    const note = queue.headNote;
    const context = note === undefined ? undefined : statements.contextOf(note);
    if (note?.kind === 'question' && context === undefined) return rewordHidden(this.#reader);
    if (context === undefined) return undefined;
    const reworded = rewordResponse(context, this.#reader);
    if (reworded?.refusal !== undefined) services.metrics.statementRefused(reworded.refusal);
    return reworded?.bytes;
  }

  #retagged(): Buffer | undefined {
    const { queue, statements } = this.#context;
    if (statements.isTracking) {
      const { bytes, start, end } = this.#reader;
      const tag = decodeCommandTag(bytes, start, end);
      if (tag === 'DEALLOCATE ALL' || tag === 'DISCARD ALL') statements.clear();
    }
    const note = queue.headNote;
    if (note === undefined) return undefined;
    const statement = note.kind === 'query' ? note.statement++ : 0;
    const tag = statements.contextOf(note)?.tags.find((given) => given.statement === statement);
    return tag === undefined ? undefined : encodeCommandComplete(tag.tag);
  }

  #noteParameter(): void {
    const { bytes, start, end } = this.#reader;
    const parameter = decodeParameterStatus(bytes, start, end);
    if (parameter?.name === 'client_encoding') this.#context.clientEncoding = parameter.value;
    else if (parameter?.name === 'standard_conforming_strings') {
      this.#context.standardConformingStrings = parameter.value === 'on';
    }
  }
}

function hasHiddenRows(note: Note | undefined): boolean {
  return note?.kind === 'survey' || note?.kind === 'question';
}

function whole(frameBytes: number): number {
  return frameBytes <= decodedResponseBytesMax ? frameBytes : headerBytes;
}
