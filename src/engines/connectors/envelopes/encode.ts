import type { Change } from '../../../contracts/change.ts';
import type { VersionRights } from '../../../contracts/change-access.ts';
import type { OutgoingChange } from '../../../contracts/sink.ts';

/** Writes a change as it leaves: what of it may be seen. */
export type Encode = (
  change: Change,
  rights: VersionRights,
) => Pick<OutgoingChange, 'key' | 'value'>;

/** For sinks that take the change as it is. */
export const noEnvelope: Encode = () => ({ key: undefined, value: '' });
