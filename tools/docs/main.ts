import { writeFileSync } from 'node:fs';
import { renderErrors } from './render-errors.ts';

// Writes every generated document; tests in test/lint fail when one is stale.
writeFileSync('docs/errors.md', renderErrors());
