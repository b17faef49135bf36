// The violation that `npm run check` must find: core imports nothing of the folders above it, not
// even a type.
import type { Planted } from '../postgres/planted.ts';

export const planted: Planted = 'found';
