import fc from 'fast-check';
import { expect, test } from 'vitest';

import { configFromSources } from '../../src/config/index.ts';
import { ActionstreamError } from '../../src/core/errors.ts';
import { composeSourceAddress } from '../../src/ingest/source-address.ts';
import { inputOptions, inputSource } from '../../src/ingest/source-input.ts';
import { SCHEMES } from '../../src/ingest/source-schemes.ts';

// Any text may stand where an address is expected. The seed is fixed; ACTIONSTREAM_FUZZ asks for more.

const NUM_RUNS = 50 * Number(process.env['ACTIONSTREAM_FUZZ'] ?? 20);
const text = fc.string({ unit: 'binary', maxLength: 60 });
const schemed = fc
  .tuple(fc.constantFrom(...Object.keys(SCHEMES), 'file', 'x'), text)
  .map(([scheme, rest]) => `${scheme}://${rest}`);
const location = fc.record(
  { url: fc.oneof(text, schemed), username: text, password: text },
  { requiredKeys: ['url'] },
);

test('an address is composed or refused, and never breaks out of its line of the playlist', () => {
  fc.assert(
    fc.property(location, (given) => {
      try {
        const address = composeSourceAddress(given);
        const { target, playlist } = inputSource(address, 'live', 1000);
        if (address.path !== undefined) {
          expect(target).toBe(`file:${address.path}`);
          return;
        }
        expect([target, ...inputOptions(address, 'live')].join(' ')).not.toContain(address.url);
        expect(playlist[1]).toMatch(/^file '[^'\\\s]*'$/);
        expect(playlist.every((line) => /^[\x20-\x7e]*$/.test(line))).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(ActionstreamError);
        expect((error as ActionstreamError).code).toBe('CONFIG_INVALID');
      }
    }),
    { seed: 14, numRuns: NUM_RUNS, endOnFailure: true },
  );
});

test('an id that is made of an address is safe in topics, metrics and file names', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(text, schemed).filter((url) => url !== ''),
        { minLength: 1, maxLength: 3 },
      ),
      (urls) => {
        const ids = configFromSources(urls, { env: {} }).streams.map(({ streamId }) => streamId);
        for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);
        expect(new Set(ids).size).toBe(ids.length);
      },
    ),
    { seed: 14, numRuns: NUM_RUNS / 5, endOnFailure: true },
  );
});
