import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readClipList, type ClipListSource } from '../../../src/lab/datasets/read-clip-list.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

// Readers look at names only: that videos can be read is shown by test/cli/evaluate.test.ts.

let folder = '';
beforeEach(async () => {
  folder = await temporaryDirectory();
});

async function put(name: string, content = ''): Promise<string> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

/** Label, video and split of each clip. */
async function read(source: ClipListSource): Promise<readonly string[]> {
  const { clips } = await readClipList(source);
  return clips.map(
    ({ labels, path: video, split }) => `${labels.join('+')} ${path.relative(folder, video)} ${split}`,
  );
}

describe('our manifest', () => {
  const rows = (...lines: readonly string[]): Promise<string> => put('manifest.csv', lines.join('\n'));

  test('has clips and segments with paths relative to it, or absolute', async () => {
    const manifest = await rows(
      'dataset,path,label,start_s,end_s,group,split,codec',
      'a,clips/one.mp4,fight,,,camera-1,test,h264',
      'b,/videos/two.mp4,falling,1.5,3,,test,h264',
    );

    const { clips } = await readClipList({ path: manifest, format: 'manifest', split: 'test' });

    expect(clips).toEqual([
      {
        ...{ dataset: 'a', path: path.join(folder, 'clips/one.mp4'), name: 'clips/one.mp4' },
        ...{ labels: ['fight'], split: 'test', group: 'camera-1' },
      },
      {
        ...{ dataset: 'b', path: '/videos/two.mp4', name: '/videos/two.mp4' },
        ...{ labels: ['falling'], startS: 1.5, endS: 3, split: 'test' },
      },
    ]);
  });

  test('may lack what is not needed, order its columns anew, quote, and end its lines as Windows does', async () => {
    const manifest = await put(
      'manifest.csv',
      '\uFEFFPath, Label ,note,DATASET\r\n"a, ""b"".mp4",kick,"over\r\ntwo lines",own\r\n\r\nc.mp4,hug,,own\r\n',
    );

    expect(await read({ path: manifest, format: 'manifest' })).toEqual(['kick a, "b".mp4 ', 'hug c.mp4 ']);
    // Without a split column, any split is all of it.
    expect(await read({ path: manifest, format: 'manifest', split: 'test' })).toHaveLength(2);
  });

  test('an empty cell at the end of a line, and times that are not known', async () => {
    const manifest = await rows('dataset,path,label,start_s,end_s', 'a,x.mp4,hug,nan,', '"a",y.mp4,wave,1,');

    const { clips } = await readClipList({ path: manifest, format: 'manifest' });

    expect(clips.map(({ name, startS, endS }) => [name, startS, endS])).toEqual([
      ['x.mp4', undefined, undefined],
      ['y.mp4', 1, undefined],
    ]);
  });

  test('joins the labels of one piece of video', async () => {
    const manifest = await rows('dataset,path,label', 'a,x.mp4,hug|kiss', 'a,x.mp4,wave', 'a,y.mp4,wave');

    expect(await read({ path: manifest, format: 'manifest' })).toEqual([
      'hug+kiss+wave x.mp4 ',
      'wave y.mp4 ',
    ]);
  });

  test('every wrong row is named with line, column and remedy', async () => {
    const manifest = await rows(
      'dataset,path,label,start_s,end_s',
      'a,x.mp4,hug,,',
      'a,,hug,,',
      'a,x.mp4,,soon,',
      'a,x.mp4,hug,5,4',
    );

    await expect(readClipList({ path: manifest, format: 'manifest' })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: [
        `${manifest}:3: column path: is empty; every row needs one`,
        `${manifest}:4: column label: is empty; every row needs one`,
        `${manifest}:4: column start_s: "soon" is no time in seconds; leave it empty for the whole video`,
        `${manifest}:5: column end_s: 4 is not after start_s (5); an interval has a length`,
      ].join('\n'),
    });
  });

  test.each([
    ['dataset,label\na,hug', ':1: the header has no column path; it has dataset, label'],
    ['', ':1: the header has no column dataset, path, label; it has none'],
    ['dataset,path,label\na,"x.mp4,hug', ':2: Quote Not Closed'],
    ['dataset,path,label', ': it lists no clip'],
    [
      'dataset,path,label\na,x.mp4,hug, kick',
      ':2: has 4 cells, the header 3; put cells with commas in quotes',
    ],
    ['dataset,path,label,label\na,x.mp4,hug,kick', ':1: the header has column label twice; leave one'],
    [
      'dataset,path,label,split\na,x,hug,train\na,y,hug,test',
      ': name one of its splits with --split: train, test',
    ],
  ])('%j is refused', async (content, message) => {
    const manifest = await put('manifest.csv', content);

    await expect(readClipList({ path: manifest, format: 'manifest' })).rejects.toThrow(
      `${manifest}${message}`,
    );
  });

  test('a split that it does not have is answered with those it has, a missing file with its name', async () => {
    const manifest = await rows('dataset,path,label,split', 'a,x.mp4,hug,train');

    await expect(readClipList({ path: manifest, format: 'manifest', split: 'test' })).rejects.toThrow(
      `${manifest}: no clip of split "test"; it has train`,
    );
    await expect(readClipList({ path: `${manifest}.gz`, format: 'manifest' })).rejects.toThrow(
      `${manifest}.gz: cannot`,
    );
  });
});

describe('Kinetics', () => {
  const header = 'label,youtube_id,time_start,time_end,split';

  test('finds trimmed videos by id and times wherever they lie, and tells those that are gone', async () => {
    await put('videos/val/abseiling/-3B32lodo2M_000059_000069.mp4');
    await put('videos/val/zumba/aaaaaaaaaa1.webm');
    const list = await put(
      'validate.csv',
      [
        header,
        'abseiling,-3B32lodo2M,59,69,val',
        'zumba,aaaaaaaaaa1,0,10,val',
        'yoga,bbbbbbbbbb2,0,10,val',
      ].join('\n'),
    );

    const source = {
      path: list,
      format: 'kinetics',
      split: 'validate',
      videos: path.join(folder, 'videos'),
    } as const;

    expect(await read(source)).toEqual([
      'abseiling videos/val/abseiling/-3B32lodo2M_000059_000069.mp4 val',
      'zumba videos/val/zumba/aaaaaaaaaa1.webm val',
    ]);
    expect((await readClipList(source)).absent).toEqual([
      { name: 'bbbbbbbbbb2_000000_000010', split: 'val' },
    ]);
  });

  test('a test list without labels, a time that is none, and videos elsewhere are told', async () => {
    const unlabelled = await put('test.csv', 'youtube_id,time_start,time_end,split\n-3B32lodo2M,59,69,test');
    const odd = await put('odd.csv', `${header}\nyoga,bbbbbbbbbb2,x,10,val\n`);
    const gone = await put('gone.csv', `${header}\nyoga,bbbbbbbbbb2,0,10,val\n`);

    await expect(readClipList({ path: unlabelled, format: 'kinetics' })).rejects.toThrow(
      'test.csv:1: the header has no column label',
    );
    await expect(readClipList({ path: odd, format: 'kinetics' })).rejects.toThrow(
      'odd.csv:2: column time_start: "x" is no time',
    );
    await expect(readClipList({ path: gone, format: 'kinetics' })).rejects.toThrow(
      'none of its 1 videos is there; --videos names their folder',
    );
  });

  test('Mini-Kinetics lists ids alone: the folder of a video is its label', async () => {
    await put('videos/air_drumming/-3B32lodo2M_000059_000069.mp4');
    const list = await put('val_ytid_list.txt', '-3B32lodo2M\n');
    const bad = await put('bad_val_list.txt', 'not an id\n');

    expect(await read({ path: list, format: 'kinetics' })).toEqual([
      'air drumming videos/air_drumming/-3B32lodo2M_000059_000069.mp4 val',
    ]);
    await expect(readClipList({ path: bad, format: 'kinetics' })).rejects.toThrow(
      'bad_val_list.txt:1: YouTube id',
    );
  });
});

describe('Something-Something V2', () => {
  const entry = (id: string, template: string): object => ({ id, label: 'x', template, placeholders: [] });

  test('entries are templates, videos are named by id', async () => {
    await put('20bn/74225.webm');
    const list = await put(
      'something-something-v2-validation.json',
      JSON.stringify([entry('74225', 'Holding [something]'), entry('9', 'Holding [something]')]),
    );

    const { clips, absent } = await readClipList({ path: list, format: 'ssv2' });

    expect(clips).toMatchObject([{ labels: ['Holding something'], name: '20bn/74225.webm', split: 'val' }]);
    expect(absent).toEqual([{ name: '9', split: 'val' }]);
  });

  test('the labels file beside the list decides, else the shipped map', async () => {
    await put('1.webm');
    const list = await put('validation.json', JSON.stringify([entry('1', 'Dancing with [something]')]));

    await expect(readClipList({ path: list, format: 'ssv2' })).rejects.toThrow(
      'validation.json:entry 1 (id 1): key template: "Dancing with something" is no label of the label map ssv2',
    );
    await put('labels.json', JSON.stringify({ 'Dancing with something': '0' }));
    expect(await read({ path: list, format: 'ssv2' })).toEqual(['Dancing with something 1.webm val']);
  });

  test.each([
    ['[', 'is no JSON'],
    ['{}', 'expected a list of entries'],
    ['[{"template": "a"}]', 'entry 1: key id: is missing'],
    ['[{"id": "5"}]', 'entry 1 (id 5): key template: is missing: test lists have no labels'],
  ])('%s is refused', async (content, message) => {
    const list = await put('validation.json', content);

    await expect(readClipList({ path: list, format: 'ssv2' })).rejects.toThrow(message);
  });
});

describe('UCF101', () => {
  test('lists of a folder, with group and partition', async () => {
    await put('UCF-101/Archery/v_Archery_g01_c01.avi');
    await put('UCF-101/Archery/v_Archery_g08_c01.avi');
    await put('lists/classInd.txt', '1 ApplyEyeMakeup\r\n2 Archery\r\n');
    await put('lists/trainlist01.txt', 'Archery/v_Archery_g08_c01.avi 2\r\n');
    await put('lists/testlist01.txt', 'Archery/v_Archery_g01_c01.avi\r\nArchery/v_Archery_g01_c02.avi\r\n');
    const source = { path: path.join(folder, 'lists'), format: 'ucf101', videos: folder } as const;

    expect(await read({ ...source, split: 'test01' })).toEqual([
      'Archery UCF-101/Archery/v_Archery_g01_c01.avi test1',
    ]);
    const { clips, absent } = await readClipList({ ...source, split: 'train1' });
    expect(clips).toMatchObject([{ labels: ['Archery'], group: 'Archery_g08' }]);
    // The missing one belongs to the test list.
    expect(absent).toEqual([]);
  });

  test('classes and indices are checked', async () => {
    const list = await put('trainlist01.txt', 'Archery/a.avi 3\nDancing/b.avi 1\nnonsense\n');

    await expect(readClipList({ path: list, format: 'ucf101' })).rejects.toThrow(
      `${list}:2: class: "Dancing" is none of the 101 classes\n${list}:3: path: "nonsense" is not Class/video.avi`,
    );
    const wrong = await put('trainlist02.txt', 'Archery/a.avi 4\n');
    await expect(readClipList({ path: wrong, format: 'ucf101' })).rejects.toThrow(
      'trainlist02.txt:1: class index: 4 is not that of Archery (3)',
    );
  });
});

describe('HMDB51', () => {
  test('the number after a video says what it is for in this split', async () => {
    for (const name of ['one', 'two', 'three']) await put(`videos/wave/${name}.avi`);
    await put('lists/wave_test_split1.txt', 'one.avi 1 \ntwo.avi 2 \nthree.avi 0 \n');
    await put('lists/wave_test_split2.txt', 'one.avi 2\ntwo.avi 1\nthree.avi 1\n');
    const source = { path: path.join(folder, 'lists'), format: 'hmdb51', videos: folder } as const;

    expect(await read({ ...source, split: 'test1' })).toEqual(['wave videos/wave/two.avi test1']);
    expect(await read({ ...source, split: 'train2' })).toEqual([
      'wave videos/wave/two.avi train2',
      'wave videos/wave/three.avi train2',
    ]);
    await expect(readClipList(source)).rejects.toThrow('--split: train1, test1, test2, train2');
  });

  test('odd lines, odd names and folders without lists are refused', async () => {
    await put('a/wave_test_split1.txt', 'one.avi 7\n');
    await put('b/dance_test_split1.txt', '');
    const source = (name: string): ClipListSource => ({ path: path.join(folder, name), format: 'hmdb51' });

    await expect(readClipList(source('a'))).rejects.toThrow(
      'wave_test_split1.txt:1: use: "one.avi 7" is not',
    );
    await expect(readClipList(source('b'))).rejects.toThrow('"dance" is none of the 51 classes of HMDB51');
    await mkdir(path.join(folder, 'c'));
    await expect(readClipList(source('c'))).rejects.toThrow('no list of that format; its name is as');
    await expect(readClipList(source('d'))).rejects.toThrow('no such file or folder');
  });
});
