import { readFileSync } from 'node:fs';
import type { Programs } from './app/context.ts';

/** Of the package. */
export const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

/** What runs in a process of its own, as built beside this file. */
export const programs: Programs = {
  main: new URL('./main.js', import.meta.url),
  engine: new URL('./inference/worker/entry.js', import.meta.url),
  verify: new URL('./app/verify-entry.js', import.meta.url),
  visit: new URL('./lab/models-report/visit-entry.js', import.meta.url),
  peer: new URL('../bench/peer/peer.py', import.meta.url),
};
