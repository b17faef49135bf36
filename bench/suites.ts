import { captureSuite } from './capture/capture-suite.ts';
import type { Suite } from './suite.ts';
import { windowsSuite } from './windows/windows-suite.ts';

/** Every suite `npm run bench` knows. */
export const suites: readonly Suite[] = [windowsSuite, captureSuite];
