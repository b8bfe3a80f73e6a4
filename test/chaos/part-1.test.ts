import { defineChaos } from './suite.ts';

defineChaos('part-1');
