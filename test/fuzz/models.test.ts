import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { importModel } from '../../src/checkpoints/import-model.ts';
import { unpickle } from '../../src/checkpoints/pickle/unpickle.ts';
import { torchHost } from '../../src/checkpoints/readers/torch-host.ts';
import { openZip } from '../../src/checkpoints/readers/zip.ts';
import { parseCheckpoint } from '../../src/checkpoints/read-checkpoint.ts';
import { parseManifest } from '../../src/inference/weights/manifest.ts';
import { parseNpy } from '../../src/inference/weights/npy.ts';
import { parseSafetensors, writeSafetensors } from '../../src/inference/weights/safetensors.ts';
import { checkpointBytes, checkpointGoldens, importGolden } from '../support/checkpoint-goldens.ts';
import { npyBytes } from '../support/npy.ts';
import { boundedMemory, corpusOf, damaged, garbled, refusesOrTakes, RUNS, SLOW_RUNS } from './support.ts';

const OPTIONS = {
  from: 'auto',
  network: {},
  half: false,
  sha256: '0'.repeat(64),
  command: 'test',
  date: '2026-11-30',
};
const TENSORS = new Map([['a.weight', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }]]);
const SAFETENSORS = writeSafetensors(TENSORS, { half: false });

function readAll(bytes: Uint8Array): void {
  const checkpoint = refusesOrTakes(() => parseCheckpoint(bytes, 'm'));
  if (!checkpoint) return;
  for (const tensor of checkpoint.tensors.values()) refusesOrTakes(() => tensor.read());
  refusesOrTakes(() => importModel(checkpoint, OPTIONS));
}

describe('checkpoints', () => {
  const files = ['torchvision-s3d.pth', 'piergiaj-i3d.pt', 'coclr-s3dg.pth.tar', 'tf-slim-fast.npz'];

  it('damaged at their headers and directories are refused or taken', { timeout: 1_800_000 }, async () => {
    const sound = files.map(checkpointBytes);
    await boundedMemory(1024, () => {
      fc.assert(
        fc.property(damaged(sound, 'head'), (bytes) => {
          readAll(bytes);
        }),
        { numRuns: SLOW_RUNS },
      );
    });
  });

  it('damaged anywhere are refused or taken', { timeout: 1_800_000 }, () => {
    const sound = files.map(checkpointBytes);
    fc.assert(
      fc.property(damaged(sound), (bytes) => {
        readAll(bytes);
      }),
      { numRuns: SLOW_RUNS },
    );
  });

  it('of any bytes behind a known beginning are refused', { timeout: 600_000 }, () => {
    const head = fc.constantFrom(
      'PK\x03\x04',
      '\x80\x02',
      '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.',
      '\x10\0\0\0\0\0\0\0{',
      '\x93NUMPY\x01\0',
    );
    const bytes = fc
      .tuple(head, fc.uint8Array({ maxLength: 200 }))
      .map(([first, rest]) => Buffer.concat([Buffer.from(first, 'latin1'), rest]));
    fc.assert(
      fc.property(bytes, (any) => {
        readAll(any);
      }),
      { numRuns: 5 * RUNS },
    );
  });

  it.each(corpusOf('checkpoints'))('%s', (_, bytes) => {
    readAll(bytes);
  });
});

describe('pickles', () => {
  const known = '}]()tuseba0.NKJMXcqhrj\x85\x86\x87\x88\x89\x8a\x8c\x8f\x90\x91\x93\x94Q2lpdIFSVG1RibB';
  const phrases = [
    ...[
      'K\x01',
      'ctorch\nFloatStorage\n',
      'ccollections\nOrderedDict\n',
      'ctorch._utils\n_rebuild_tensor_v2\n',
    ],
    ...['X\x01\0\0\0a', 'q\0', 'h\0', 'cos\nsystem\n', '(tR', ')R'],
  ];
  const opcode = fc.oneof(
    fc.constantFrom(...Array.from(Buffer.from(known, 'latin1'), (byte) => Buffer.of(byte))),
    fc.constantFrom(...phrases).map((phrase) => Buffer.from(phrase, 'latin1')),
    fc.uint8Array({ minLength: 1, maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
  );

  it('of any opcodes build data or are refused', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(fc.array(opcode, { maxLength: 60 }), (opcodes) => {
        const bytes = Buffer.concat([Buffer.from('\x80\x02', 'latin1'), ...opcodes, Buffer.from('.')]);
        refusesOrTakes(() => unpickle(bytes, { place: 'm.pt', host: torchHost }));
      }),
      { numRuns: 20 * RUNS },
    );
  });
});

describe('containers', () => {
  it('zips that lie are refused', { timeout: 600_000 }, () => {
    const zip = checkpointBytes('tf-slim-fast.npz');
    fc.assert(
      fc.property(damaged([zip], 'head'), (bytes) => {
        const archive = refusesOrTakes(() => openZip(bytes, 'm.npz'));
        for (const name of archive?.names ?? []) refusesOrTakes(() => archive?.read(name));
      }),
      { numRuns: RUNS },
    );
  });

  it(
    'safetensors whose headers lie are refused, and take no more memory than their bytes',
    { timeout: 600_000 },
    async () => {
      const header = (text: string): Uint8Array => {
        const json = Buffer.from(text);
        const size = Buffer.alloc(8);
        size.writeBigUInt64LE(BigInt(json.length));
        return Buffer.concat([size, json, Buffer.alloc(24)]);
      };
      const json = Buffer.from(
        SAFETENSORS.subarray(8, 8 + Number(Buffer.from(SAFETENSORS).readBigUInt64LE(0))),
      ).toString();
      const words = [
        '4294967296',
        '-1',
        '1e308',
        'null',
        '[]',
        '{}',
        '"F64"',
        '"BF16"',
        '0',
        '9007199254740993',
        ',',
        '__proto__',
        '"data_offsets":[0,4]',
      ];
      await boundedMemory(512, () => {
        fc.assert(
          fc.property(garbled([json], words), (text) => {
            refusesOrTakes(() => parseSafetensors(header(text), 'm'));
          }),
          { numRuns: 5 * RUNS },
        );
        fc.assert(
          fc.property(damaged([SAFETENSORS]), (bytes) => {
            refusesOrTakes(() => parseSafetensors(bytes, 'm'));
          }),
          { numRuns: 5 * RUNS },
        );
      });
    },
  );

  it(
    'npy whose headers lie are refused, and take no more memory than their bytes',
    { timeout: 600_000 },
    async () => {
      const sound = [npyBytes('|u1', [2, 3], Buffer.alloc(6)), npyBytes('<f4', [2, 2], Buffer.alloc(16))];
      await boundedMemory(512, () => {
        fc.assert(
          fc.property(damaged(sound), (bytes) => {
            refusesOrTakes(() => parseNpy(bytes, 'a.npy'));
          }),
          { numRuns: 5 * RUNS },
        );
      });
    },
  );

  it('manifests are refused or taken', { timeout: 600_000 }, () => {
    const [golden] = checkpointGoldens;
    const manifest = JSON.stringify(importGolden(golden!).manifest);
    const words = [
      'null',
      '[]',
      '{}',
      '1e309',
      '-1',
      '0',
      '"__proto__"',
      '"../x.safetensors"',
      '999999999',
      '"none"',
      '"ordered"',
      '"Conv_2b"',
      ',',
      ':',
      '"',
    ];
    fc.assert(
      fc.property(garbled([manifest], words), (text) => {
        refusesOrTakes(() => parseManifest(text, 'm'));
      }),
      { numRuns: 5 * RUNS },
    );
    const numbers = fc
      .tuple(fc.nat(), fc.constantFrom('0', '1', '2', '7', '1000000', '100000000'))
      .map(([n, value]) => {
        const places = [...manifest.matchAll(/(?<=:)\d+(?=[,}])/g)];
        const place = places[n % places.length]!;
        return manifest.slice(0, place.index) + value + manifest.slice(place.index + place[0].length);
      });
    fc.assert(
      fc.property(numbers, (text) => {
        refusesOrTakes(() => parseManifest(text, 'm'));
      }),
      { numRuns: RUNS },
    );
    expect(parseManifest(manifest, 'm').id).toBe(importGolden(golden!).manifest.id);
  });
});
