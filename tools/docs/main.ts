import { writeFileSync } from 'node:fs';
import { renderApi } from './render-api.ts';
import { renderApiTypes } from './render-api-types.ts';
import { renderCommands } from './render-commands.ts';
import { renderConfig, renderConfigSchema } from './render-config.ts';
import { renderDefinitionSchema } from './render-definition-schema.ts';
import { renderErrors } from './render-errors.ts';
import { renderMetricsList } from './render-metrics.ts';
import { renderRecordSchemas } from './render-record-schemas.ts';

// Writes every generated document; tests in test/lint fail when one is stale.
writeFileSync('docs/api.md', renderApi());
writeFileSync('src/client/api-types.ts', await renderApiTypes());
writeFileSync('docs/errors.md', renderErrors());
writeFileSync('docs/metrics.md', renderMetricsList());
writeFileSync('docs/config.md', renderConfig());
writeFileSync('schemas/config.schema.json', renderConfigSchema());
for (const [file, text] of Object.entries(renderRecordSchemas())) writeFileSync(file, text);
writeFileSync('schemas/stream-definition.schema.json', renderDefinitionSchema());
writeFileSync('docs/commands.md', renderCommands());
