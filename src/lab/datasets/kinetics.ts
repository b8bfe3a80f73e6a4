import path from 'node:path';
import { createClipCollector } from './clip-collector.ts';
import { parseCsvTable } from './csv-table.ts';
import { createListProblems, linesOf, readList } from './list-problems.ts';
import { splitOfName } from './splits.ts';
import type { ClipList } from './types.ts';
import type { VideoIndex } from './video-index.ts';

/**
 * The CSV lists of Kinetics-400, -600, -700 and of mini-Kinetics made from them (label,
 * youtube_id, time_start, time_end, split), and the lists of Mini-Kinetics-200: a text of
 * one YouTube id a line, whose labels are the folders that hold the videos. Videos are
 * trimmed to their ten seconds and named `<id>_<start>_<end>` with six digits, or `<id>`.
 * @throws ActionstreamError INPUT_INVALID naming line and column
 */
export async function readKinetics(file: string, videos: VideoIndex): Promise<ClipList> {
  const text = await readList(file);
  return /\.txt$/i.test(file) ? fromIds(text, file, videos) : fromCsv(text, file, videos);
}

function fromCsv(text: string, file: string, videos: VideoIndex): ClipList {
  const table = parseCsvTable(text, file, ['label', 'youtube_id']);
  const problems = createListProblems(file);
  const collector = createClipCollector('kinetics', videos);
  for (const row of table.rows) {
    const [id, label] = [row.cell('youtube_id'), row.cell('label')];
    if (id === '') problems.add(row.line, 'column youtube_id', 'is empty; every row needs one');
    if (label === '') {
      problems.add(row.line, 'column label', 'is empty: test lists have no labels; take the validation list');
    }
    const times = ['time_start', 'time_end'].map((column) => {
      const value = Number(row.cell(column));
      if (!Number.isFinite(value) || value < 0) {
        problems.add(row.line, `column ${column}`, `"${row.cell(column)}" is no time in seconds`);
      }
      return String(value).padStart(6, '0');
    });
    collector.add([[id, ...times].join('_'), id], { label, split: row.cell('split') || splitOfName(file) });
  }
  problems.throwIfAny();
  return collector.list;
}

function fromIds(text: string, file: string, videos: VideoIndex): ClipList {
  const problems = createListProblems(file);
  const collector = createClipCollector('kinetics', videos);
  const byId = new Map(videos.names.map((name) => [name.replace(/_\d{6}_\d{6}$/, ''), name]));
  for (const { line, text: id } of linesOf(text)) {
    if (!/^[\w-]{11}$/.test(id))
      problems.add(line, 'YouTube id', `"${id}" is none: 11 letters, digits, - or _`);
    const name = byId.get(id) ?? id;
    collector.add([name], { label: labelOfFolder(videos.find(name) ?? ''), split: splitOfName(file) });
  }
  problems.throwIfAny();
  return collector.list;
}

/** Crawlers write the blanks of a label as they are or as underscores. */
function labelOfFolder(video: string): string {
  return path.basename(path.dirname(video)).replaceAll('_', ' ');
}
