import { recordIdOf } from '../../core/records.ts';
import type { KafkaTopics } from '../kafka/options.ts';
import type { Differences } from './differences.ts';
import type { JournalView } from './journal-view.ts';
import type { LogStarts } from './kafka-bounds.ts';
import type { KafkaMessages } from './kafka-messages.ts';
import type { Survey } from './survey.ts';
import type { Problem } from './types.ts';

interface Parts {
  readonly survey: Survey;
  readonly view: JournalView;
  readonly topics: KafkaTopics;
  readonly logStarts: LogStarts;
  readonly messages: KafkaMessages;
  readonly differences: Differences;
}

/** The messages of a stream in one partition. */
interface Lane {
  /** Number of the record whose first copy lies first, and where. */
  first: number;
  firstOffset: number;
  /** Where the first copies of the records looked at so far end. */
  lastOffset: number;
}

/**
 * Looks at every record that Kafka should hold: is it there, and in order?
 *
 * A record that is not there has expired where a partition of the topic begins after offset 0,
 * no message of its stream in that partition is as old, and no more records are said to have
 * expired than the topic has removed. Out of order: not where an earlier copy may have expired.
 */
export async function judgePlaces(
  parts: Parts,
): Promise<{ readonly compared: number; readonly expired: number }> {
  const { survey, topics, messages } = parts;
  const lanes = collectLanes(parts);
  const lastStatuses = lastStatusesOf(survey);
  let [compared, expired] = [0, 0];
  const removed = removedByTopic(parts.logStarts);
  for (let number = 0; number < survey.size; number += 1) {
    if (!survey.isDue(number, 'kafka')) continue;
    const type = survey.typeOf(number);
    const isStatus = type === 'stream.status';
    if (isStatus && lastStatuses.get(survey.streamOf(number)) !== number) continue;
    compared += 1;
    const topic = topics[type];
    const place = messages.placeOf(number);
    if (place) {
      if (isStatus) continue;
      const lane = lanes.get(laneKey(parts, number, place.partition));
      const hasStart = (parts.logStarts.get(topic)?.[place.partition] ?? 0) > 0;
      if (lane && place.offset < lane.lastOffset && !(hasStart && number < lane.first))
        await report(parts, number, { problem: 'order', detail: `comes too early in ${topic}` });
      else if (lane) lane.lastOffset = place.offset;
    } else if (messages.isDeadLetter(number) || (isStatus && (await isReplaced(parts, number)))) continue;
    else if ((removed.get(topic) ?? 0) > 0 && mayHaveExpired(parts, { number, lanes })) {
      removed.set(topic, (removed.get(topic) ?? 0) - 1);
      expired += 1;
    } else await report(parts, number, { problem: 'missing', detail: `not in ${topic}` });
  }
  return { compared, expired };
}

function collectLanes(parts: Parts): Map<string, Lane> {
  const lanes = new Map<string, Lane>();
  for (let number = 0; number < parts.survey.size; number += 1) {
    const place = parts.messages.placeOf(number);
    if (!place) continue;
    const key = laneKey(parts, number, place.partition);
    const lane = lanes.get(key);
    if (!lane) lanes.set(key, { first: number, firstOffset: place.offset, lastOffset: -1 });
    else if (place.offset < lane.firstOffset) {
      lane.first = number;
      lane.firstOffset = place.offset;
    }
  }
  return lanes;
}

function laneKey({ survey, topics }: Parts, number: number, partition: number): string {
  return `${topics[survey.typeOf(number)]}/${partition} ${survey.streamOf(number)}`;
}

function lastStatusesOf(survey: Survey): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (let number = 0; number < survey.size; number += 1)
    if (survey.typeOf(number) === 'stream.status' && survey.isDue(number, 'kafka'))
      last.set(survey.streamOf(number), number);
  return last;
}

/** Messages that each topic has held and holds no more. */
function removedByTopic(logStarts: LogStarts): Map<string, number> {
  return new Map(
    [...logStarts].map(([topic, starts]) => [topic, starts.reduce((sum, start) => sum + start, 0)]),
  );
}

function mayHaveExpired(
  parts: Parts,
  { number, lanes }: { readonly number: number; readonly lanes: ReadonlyMap<string, Lane> },
): boolean {
  const starts = parts.logStarts.get(parts.topics[parts.survey.typeOf(number)]) ?? [];
  return starts.some((start, partition) => {
    const lane = lanes.get(laneKey(parts, number, partition));
    return start > 0 && (!lane || number < lane.first);
  });
}

/**
 * Compaction keeps the newest message of a key: one that another instance or a later run wrote replaces ours.
 */
async function isReplaced({ survey, view, messages }: Parts, number: number): Promise<boolean> {
  const newestMs = messages.newestStatusMs.get(survey.streamOf(number));
  if (newestMs === undefined) return false;
  const stored = await view.recordAt(survey.offsetOf(number));
  return stored !== undefined && newestMs > stored.recordedAtMs;
}

async function report(
  { survey, view, differences }: Parts,
  number: number,
  { problem, detail }: { readonly problem: Problem; readonly detail: string },
): Promise<void> {
  const offset = survey.offsetOf(number);
  // The name costs a read of the journal.
  const stored = differences.isOpen ? await view.recordAt(offset) : undefined;
  const subject = stored ? recordIdOf(stored.record) : `journal record ${offset}`;
  differences.add({ sink: 'kafka', problem, subject, detail });
}
