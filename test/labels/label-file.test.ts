import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLabelFile } from '../../src/labels/label-file.ts';

const LABELS = ['fight', 'sit down', 'wave, both hands', 'fall'];
const csv = (label: string): string => (label.includes(',') ? `"${label}"` : label);
const text = (content: string): Buffer => Buffer.from(content);
const lines = (of: (label: string, index: number) => string): Buffer =>
  text(`${LABELS.map(of).join('\n')}\n`);

describe('label files of other tools', () => {
  it.each<[string, Uint8Array]>([
    ['one label a line', lines((label) => label)],
    ['with a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), lines((label) => label)])],
    ['with line ends of Windows', text(LABELS.join('\r\n'))],
    ['with line ends of the old Macintosh', text(LABELS.join('\r'))],
    ['as UTF-16', Buffer.from(`\ufeff${LABELS.join('\r\n')}`, 'utf16le')],
    ['as UTF-16, the other way round', Buffer.from(`\ufeff${LABELS.join('\n')}`, 'utf16le').swap16()],
    ['in quotes', lines((label) => `"${label}"`)],
    ['number, label', lines((label, i) => `${i},${csv(label)}`)],
    [
      'number, label with a header',
      text(`id,name\n${LABELS.map((label, i) => `${i},${csv(label)}`).join('\n')}`),
    ],
    ['label, number', lines((label, i) => `${csv(label)},${i}`)],
    ['number and tab', lines((label, i) => `${i}\t${label}`)],
    ['number from 1 and blank', lines((label, i) => `${i + 1} ${label}`)],
    ['numbers in any order', text([3, 1, 0, 2].map((i) => `${i};${csv(LABELS[i]!)}`).join('\n'))],
    ['a JSON list', text(JSON.stringify(LABELS, null, 2))],
    ['JSON of labels and numbers', text(JSON.stringify(Object.fromEntries(LABELS.map((l, i) => [l, i]))))],
    ['JSON of numbers and labels', text(JSON.stringify(Object.fromEntries(LABELS.map((l, i) => [i, l]))))],
  ])('%s', (_, bytes) => {
    expect(parseLabelFile(bytes, 'labels.txt').labels).toEqual(LABELS);
  });

  it('says how it reads numbers', () => {
    expect(parseLabelFile(text('1 fight\n2 fall\n'), 'l.txt').note).toMatch('class numbers');
    expect(parseLabelFile(text('person 1\nperson 2\n'), 'l.txt')).toEqual({
      labels: ['person 1', 'person 2'],
    });
  });

  it.each<[string, string | Uint8Array, string]>([
    ['a label twice', 'same\nsame\nother\n', 'class 1: is "same", as class 0 is; number them'],
    ['a comment', '# my labels\nfight\n', ':1: is a comment'],
    ['a gap', 'fight\n\nfall\n', ':2: is empty'],
    ['nothing', '\n', 'is empty'],
    ['an empty list', '[]', 'is empty'],
    ['numbers with a gap', '0,fight\n2,fall\n', '2 breaks that'],
    ['numbers on some lines', '0,fight\nfall\n', ':1: "0,fight" has a number'],
    ['YAML', 'names:\n  0: fight\n  1: fall\n', ':1: "names:" is YAML'],
    ['an open quote', '"fight\nfall\n', 'opens a quote'],
    ['Latin-1', Buffer.from('Kampf\nStürzen\n', 'latin1'), 'l.txt:2: is not UTF-8; save it as UTF-8 text'],
    ['UTF-16 without its mark', Buffer.from('fight\n', 'utf16le'), 'zero byte'],
    ['JSON of something else', '{"names": ["fight"]}', 'neither a list of labels'],
    ['broken JSON', '["fight",', 'begins as JSON and is none'],
    ['a tab within', 'fight\tx\nfall\n', 'holds a tab'],
  ])('%s is refused', (_, content, says) => {
    const bytes = typeof content === 'string' ? text(content) : content;
    expect(() => parseLabelFile(bytes, 'l.txt')).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining(says) as string }),
    );
  });

  it('any labels that differ come back as they were written', () => {
    const label = fc.stringMatching(/^[A-Za-zä]([A-Za-z0-9 ,'()-]{0,20}[A-Za-z)])?$/);
    fc.assert(
      fc.property(fc.uniqueArray(label, { minLength: 1, maxLength: 20 }), (labels) => {
        expect(parseLabelFile(text(labels.join('\n')), 'l.txt').labels).toEqual(labels);
      }),
    );
  });
});
