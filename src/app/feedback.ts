import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig } from '../config/index.ts';
import { ActionstreamError } from '../core/errors.ts';
import { EventFiles } from '../media/event-files.ts';
import type { KeptMedia } from '../media/types.ts';
import { judgedEvents, type JudgedEvent } from '../sink/postgres/feedback.ts';
import { openPostgresReader } from '../sink/postgres/reader.ts';
import type { AppContext } from './context.ts';
import { postgresOf, type Places } from './stores.ts';

export interface FeedbackExportRequest {
  readonly places: Places;
  /** Folder of the list and its clips; created where missing. */
  readonly out: string;
  /** Where the media are; default: `media.dir` of the configuration file. */
  readonly media?: string;
}

/** Keys are those of `feedback export --json`. */
export interface FeedbackExport {
  readonly manifest: string;
  readonly clips: number;
  /** Of those, by the last word on them. */
  readonly right: number;
  readonly wrong: number;
  readonly other: number;
  /** Streams they come from. */
  readonly groups: number;
  /** Judged episodes whose clip is not kept, or no longer. */
  readonly without_clip: number;
}

interface Row {
  readonly judged: JudgedEvent;
  readonly kept: KeptMedia & { readonly clip: NonNullable<KeptMedia['clip']> };
  readonly from: string;
}

/**
 * `feedback export`: clips of judged episodes and the list of them that `teach` takes. Right ones show their
 * label, others the one that was given, and wrong ones are background.
 * @throws USAGE where nothing was judged, or none of it has a clip
 */
export async function exportFeedback(
  { places, out, media }: FeedbackExportRequest,
  { env }: Pick<AppContext, 'env'>,
): Promise<FeedbackExport> {
  const dir = media ?? mediaDirOf(places, env);
  await using reader = await openPostgresReader(postgresOf(places, env));
  const judged = await judgedEvents(reader);
  if (judged.length === 0) throw nothing('no episode in the database was judged yet');
  const files = EventFiles.at(dir);
  const rows: Row[] = [];
  for (const one of judged) {
    const { episode_id: id } = one.event;
    const [kept, file] = await Promise.all([files.find(id), files.open(id, 'clip')]);
    if (kept?.clip && file) rows.push({ judged: one, kept: { ...kept, clip: kept.clip }, from: file.path });
  }
  if (rows.length === 0)
    throw new ActionstreamError(
      'USAGE',
      `${judged.length} episodes were judged, and ${dir} holds the clip of none: set media.dir before they happen, or name another folder with --media`,
    );
  await mkdir(path.join(out, 'clips'), { recursive: true });
  for (const { judged: one, from } of rows) await copyFile(from, path.join(out, pathOf(one)));
  const manifest = path.join(out, 'feedback.csv');
  await writeFile(manifest, [COLUMNS.join(','), ...rows.map(lineOf), ''].join('\n'));
  const count = (verdict: string): number =>
    rows.filter(({ judged: { feedback } }) => feedback.verdict === verdict).length;
  return {
    ...{ manifest, clips: rows.length, right: count('right'), wrong: count('wrong'), other: count('other') },
    groups: new Set(rows.map(({ judged: { event } }) => event.stream_id)).size,
    without_clip: judged.length - rows.length,
  };
}

const COLUMNS = [
  ...['dataset', 'path', 'label', 'start_s', 'end_s', 'split', 'group'],
  ...['episode_id', 'verdict', 'given_by', 'given_at', 'event_label', 'started_at'],
];

/** As `teach` reads it: the piece of the clip that the episode covers. */
function lineOf({ judged, kept: { clip } }: Row): string {
  const { event, feedback } = judged;
  const label = { right: event.label, wrong: 'background', other: feedback.label ?? '' }[feedback.verdict];
  const since = (time: string): number => (Date.parse(time) - Date.parse(clip.from)) / 1000;
  const endS = Math.min(since(event.ended_at ?? clip.to), since(clip.to));
  const values = [
    ...['feedback', pathOf(judged), label, Math.max(0, since(event.started_at)).toFixed(3), endS.toFixed(3)],
    ...['', event.stream_id, event.episode_id, feedback.verdict, feedback.by, feedback.at],
    ...[event.label, event.started_at],
  ];
  return values
    .map((value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value))
    .join(',');
}

function pathOf({ event }: JudgedEvent): string {
  return path.join('clips', `${event.episode_id}.mp4`);
}

function mediaDirOf({ configPath }: Places, env: AppContext['env']): string {
  const dir = configPath === undefined ? undefined : loadConfig(configPath, { env }).media?.dir;
  if (dir !== undefined) return dir;
  throw new ActionstreamError(
    'USAGE',
    'no clips: name a configuration file with media.dir, or the folder of the clips with --media DIR',
  );
}

function nothing(what: string): ActionstreamError {
  return new ActionstreamError(
    'USAGE',
    `${what}: say right, wrong or another label on the page of an event, or POST /api/v1/events/ID/feedback`,
  );
}
