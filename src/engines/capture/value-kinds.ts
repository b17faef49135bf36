import type { ValueKind } from '../../contracts/change.ts';

/** Says how values of types are written as JSON. */
export interface ValueKinds {
  of(typeOids: readonly number[]): Promise<readonly ValueKind[]>;
}
