import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseLabelFile } from '../../src/labels/label-file.ts';
import { readClipList } from '../../src/lab/datasets/read-clip-list.ts';
import type { ClipListFormat } from '../../src/lab/datasets/read-clip-list.ts';
import { parseProbe } from '../../src/ingest/probe-report.ts';
import { corpusOf, damaged, garbled, refusesOrResolves, refusesOrTakes, RUNS } from './support.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fuzz-lists-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const LISTS: Readonly<Record<ClipListFormat, { readonly name: string; readonly text: string }>> = {
  manifest: {
    name: 'manifest.csv',
    text: 'dataset,path,label,start_s,end_s,split,group\nsite,a.mp4,fall,1.5,3,test,g1\nsite,"b,c.mp4","hug|kick",,,train,\n',
  },
  kinetics: {
    name: 'kinetics_val.csv',
    text: 'label,youtube_id,time_start,time_end,split\nabseiling,0wR5jVB-WPk,417,427,validate\n',
  },
  ssv2: {
    name: 'something-something-v2-validation.json',
    text: '[{"id":"78687","template":"Holding [something]"}]',
  },
  ucf101: { name: 'trainlist01.txt', text: 'ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\n' },
  hmdb51: { name: 'brush_hair_test_split1.txt', text: 'April_09_brush_hair_u_nm_np1_ba_goo_0.avi 1 \n' },
};
const WORDS = [
  ',',
  '"',
  '""',
  '\n',
  '\r\n',
  '|',
  '\t',
  ' ',
  '-1',
  'nan',
  '1e999',
  'null',
  '{}',
  '[]',
  '../',
  '/dev/zero',
  '\0',
  '__proto__',
  '9'.repeat(30),
];

describe('lists of clips', () => {
  it.each(Object.keys(LISTS) as ClipListFormat[])(
    '%s, garbled, are refused with the line or taken',
    { timeout: 600_000 },
    async (format) => {
      const { name, text } = LISTS[format];
      const place = join(folder, format);
      await mkdir(place, { recursive: true });
      await fc.assert(
        fc.asyncProperty(garbled([text], WORDS), async (garbledText) => {
          await writeFile(join(place, name), garbledText);
          await refusesOrResolves(() => readClipList({ path: join(place, name), format }));
        }),
        { numRuns: RUNS },
      );
    },
  );

  it('no row of a manifest is lost in silence', { timeout: 600_000 }, async () => {
    const cell = fc.string({ unit: 'binary', maxLength: 8 });
    const path = join(folder, 'rows.csv');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 6 }), async (rows) => {
        const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
        const lines = rows.map(([name, label], row) => `d,${quoted(`${row}${name}`)},${quoted(label)}`);
        await writeFile(path, ['dataset,path,label', ...lines].join('\n'));
        const list = await refusesOrResolves(() => readClipList({ path, format: 'manifest' }));
        if (list) expect(list.clips).toHaveLength(rows.length);
      }),
      { numRuns: RUNS },
    );
  });

  it.each(corpusOf('lists'))('%s', async (name, bytes) => {
    const path = join(folder, name);
    await writeFile(path, bytes);
    await refusesOrResolves(() => readClipList({ path, format: 'manifest' }));
  });
});

describe('label files', () => {
  const SOUND = [
    'fight\nfall\nsit down\n',
    '0,fight\n1,fall\n',
    '["fight","fall"]',
    '{"fight":0,"fall":1}',
  ].flatMap((text) => [Buffer.from(text), Buffer.from(`\ufeff${text}`, 'utf16le')]);

  it('damaged are refused, or give labels that differ and are not empty', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(damaged(SOUND), (bytes) => {
        const labels = refusesOrTakes(() => parseLabelFile(bytes, 'l.txt'))?.labels ?? ['-'];
        expect(labels.length).toBeGreaterThan(0);
        expect(new Set(labels).size).toBe(labels.length);
        for (const label of labels) expect(label).toMatch(/^[^\p{Cc}]+$/u);
      }),
      { numRuns: 10 * RUNS },
    );
  });
});

describe('what ffprobe says', () => {
  it('is read, or refused as no report', { timeout: 600_000 }, () => {
    const sound = JSON.stringify({
      packets: [
        { pts_time: '0.0', flags: 'K_' },
        { pts_time: '0.04', flags: '__' },
      ],
      streams: [
        { codec_name: 'h264', width: 64, height: 64, avg_frame_rate: '25/1', sample_aspect_ratio: '1:1' },
      ],
      format: { duration: '4.0', format_name: 'mov' },
    });
    fc.assert(
      fc.property(garbled([sound], ['null', '[]', '{}', 'N/A', '0/0', '-1', '1e999', '"']), (text) => {
        refusesOrTakes(() => parseProbe(text, 'a'));
      }),
      { numRuns: 5 * RUNS },
    );
  });
});
