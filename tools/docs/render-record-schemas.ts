import { RECORD_KINDS } from '../../src/core/record-fields.ts';
import { recordSchema } from '../../src/core/record-schemas.ts';
import { RECORD_TYPES } from '../../src/core/records.ts';

/** The JSON Schemas of all kinds of records by file. */
export function renderRecordSchemas(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    RECORD_TYPES.map((type) => [
      `schemas/${RECORD_KINDS[type].schema}.schema.json`,
      `${JSON.stringify(recordSchema(type), null, 2)}\n`,
    ]),
  );
}
