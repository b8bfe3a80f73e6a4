#!/usr/bin/env node
// A password among our arguments can be read in the process list until it is
// hidden: everything else loads after that.
import './cli/hide-arguments.ts';

await import('./composition.ts');
