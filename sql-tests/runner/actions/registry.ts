import type { Action } from '../run-context.ts';
import { bind } from './bind.ts';
import { blocked, busy, cancel, finish, notification, start } from './concurrency.ts';
import { messages } from './messages.ts';
import { plan } from './plan.ts';
import { protocol } from './protocol.ts';
import { byHand, query } from './query.ts';
import { disconnect, session } from './session.ts';
import { settle } from './settle.ts';
import { statement } from './statement.ts';
import { stdin } from './stdin.ts';
import { transcript } from './transcript.ts';

/** What a head line may begin with. */
export const actions: ReadonlyMap<string, Action> = new Map([
  ['statement', statement],
  ['query', query],
  ['$ bind', bind],
  ['$ blocked', blocked],
  ['$ busy', busy],
  ['$ by-hand', byHand],
  ['$ cancel', cancel],
  ['$ disconnect', disconnect],
  ['$ finish', finish],
  ['$ messages', messages],
  ['$ notification', notification],
  ['$ plan', plan],
  ['$ protocol', protocol],
  ['$ session', session],
  ['$ settle', settle],
  ['$ start', start],
  ['$ stdin', stdin],
  ['$ transcript', transcript],
]);
