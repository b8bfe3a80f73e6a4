import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/index.ts';
import { editYaml } from '../../src/config/edit-yaml.ts';
import { writeStreamSampler } from '../../src/config/write-stream-sampler.ts';
import { fileDirectory } from '../support/temporary-directory.ts';

const SAMPLER = ['streams', 0, 'sampler'];

describe('values of a section in a YAML file', () => {
  test.each([
    [
      'replaces a value, and leaves the comment behind it',
      'streams:\n  - id: a # door\n    sampler:\n      width: 1.4   # by hand\n      kind: ordered\n',
      'streams:\n  - id: a # door\n    sampler:\n      width: 0.7   # by hand\n      kind: ordered\n',
    ],
    [
      'adds a line below the last value',
      'streams:\n- id: a\n  sampler:\n    kind: ordered # steps\n    # next comes another\n- id: b\n',
      'streams:\n- id: a\n  sampler:\n    kind: ordered # steps\n    width: 0.7\n    # next comes another\n- id: b\n',
    ],
    [
      'adds to braces',
      'streams: [{ id: a, sampler: { kind: ordered } }]\n',
      'streams: [{ id: a, sampler: { kind: ordered, width: 0.7 } }]\n',
    ],
    [
      'fills empty braces',
      'streams:\n  - id: a\n    sampler: {}\n',
      'streams:\n  - id: a\n    sampler: { width: 0.7 }\n',
    ],
    [
      'makes the section, below a list item that has none',
      'streams:\n  - id: a\n    url: x.mp4  # file\n    events:\n      allow: [fall]\n\n  # second\n  - id: b',
      'streams:\n  - id: a\n    url: x.mp4  # file\n    sampler: { width: 0.7 }\n    events:\n      allow: [fall]\n\n  # second\n  - id: b',
    ],
    [
      'keeps carriage returns, and a file without a last newline',
      'streams:\r\n  - id: a\r\n    url: x.mp4',
      'streams:\r\n  - id: a\r\n    url: x.mp4\r\n    sampler: { width: 0.7 }',
    ],
    [
      'a text that goes over several lines stays whole',
      'streams:\n  - id: a\n    url: >-\n      rtsp://host/\n      cam\n',
      'streams:\n  - id: a\n    sampler: { width: 0.7 }\n    url: >-\n      rtsp://host/\n      cam\n',
    ],
  ])('%s', (_, before, after) => {
    expect(editYaml(before, SAMPLER, { width: 0.7 })).toBe(after);
  });

  test('several values make one section', () => {
    const edited = editYaml('streams:\n  - id: a\n', SAMPLER, { kind: 'ordered', width: 0.7, min_steps: 2 });

    expect(edited).toBe('streams:\n  - id: a\n    sampler: { kind: ordered, width: 0.7, min_steps: 2 }\n');
  });

  test.each([
    ['an alias', 'one: &one { width: 1 }\nstreams:\n  - id: a\n    sampler: *one\n'],
    [
      'a merged section with more in it',
      'one: &one { sampler: { kind: ordered } }\nstreams:\n  - id: a\n    <<: *one\n',
    ],
    ['a section without a value', 'streams:\n  - id: a\n    sampler:\n'],
    ['no such item', 'streams: []\n'],
    ['no YAML', 'streams: [\n'],
  ])('%s is left alone', (_, text) => {
    expect(editYaml(text, SAMPLER, { width: 0.7 })).toBeUndefined();
  });
});

describe('the sampler of a stream', () => {
  const directory = fileDirectory();
  const env = { CAM: 'cam-2' };
  const text = `streams:
  # front door
  - { id: cam-1, url: a.mp4 }
  - id: \${CAM}
    url: b.mp4 # yard
`;

  test('is written to the stream of that id, and to no other', async () => {
    const file = path.join(directory(), 'site.yaml');
    await writeFile(file, text, { mode: 0o640 });

    await writeStreamSampler(file, { streamId: 'cam-2', values: { kind: 'ordered', width: 0.35 }, env });

    expect(await readFile(file, 'utf8')).toBe(`${text}    sampler: { kind: ordered, width: 0.35 }\n`);
    const { streams } = loadConfig(file, { env });
    expect(streams.map(({ sampler }) => sampler.width)).toEqual([undefined, 0.35]);
  });

  test('that would not be valid leaves the file as it was', async () => {
    const file = path.join(directory(), 'strict.yaml');
    const uniform = 'streams:\n  - id: cam-2\n    url: b.mp4\n    sampler: { kind: uniform, stride: 2 }\n';
    await writeFile(file, uniform);

    const written = writeStreamSampler(file, { streamId: 'cam-2', values: { kind: 'ordered' }, env });

    await expect(written).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await readFile(file, 'utf8')).toBe(uniform);
  });

  test('that is shared is named, with what to write by hand', async () => {
    const file = path.join(directory(), 'shared.yaml');
    const shared =
      'streams:\n  - id: a\n    url: a.mp4\n    sampler: &s { width: 1 }\n  - { id: b, url: b.mp4, sampler: *s }\n';
    await writeFile(file, shared);

    const written = writeStreamSampler(file, { streamId: 'b', values: { width: 0.5 }, env });

    await expect(written).rejects.toThrow(
      /stream b is shared .* put sampler: \{ width: 0\.5 \} into it by hand/,
    );
  });
});
