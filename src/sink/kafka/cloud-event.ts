import { schemaIdOf } from '../../core/record-fields.ts';
import { recordIdOf, streamIdOf, type ActionEvent, type PublishedRecord } from '../../core/records.ts';
import { toRfc3339 } from '../../core/time.ts';
import type { StoredRecord } from '../event-sink.ts';

/** What a Kafka message of ours consists of, apart from its topic. */
export interface CloudEventMessage {
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** CloudEvents 1.0, Kafka binding, binary mode: attributes as `ce_` headers, the payload as the value. */
export function toCloudEvent(stored: StoredRecord): CloudEventMessage {
  const { key, headers } = envelopeOf(stored);
  return { key, value: JSON.stringify(stored.record.payload), headers };
}

/** A message without its value. */
export function envelopeOf({
  record,
  recordedAtMs,
}: Pick<StoredRecord, 'record' | 'recordedAtMs'>): Omit<CloudEventMessage, 'value'> {
  const { type, subject, time, sequence } = attributesOf(record);
  const key = streamIdOf(record);
  return {
    key,
    headers: {
      ce_specversion: '1.0',
      ce_id: recordIdOf(record),
      ce_type: type,
      ce_source: sourceOf(record),
      ce_subject: subject,
      ce_time: time,
      ce_dataschema: schemaIdOf(record.type),
      'content-type': 'application/json',
      ce_partitionkey: key,
      ...(sequence === undefined ? {} : { ce_sequence: sequence }),
      ...descriptionOf(record),
      ce_recordedtime: toRfc3339(recordedAtMs),
    },
  };
}

/** `/actionstream/<instance>/streams/<stream_id>`: with `ce_id` the identity of a record. */
export function sourceOf(record: PublishedRecord): string {
  const { pipeline, stream_id: streamId } = record.payload;
  return `/actionstream/${encodeURIComponent(pipeline.instance)}/streams/${encodeURIComponent(streamId)}`;
}

/** So that a consumer sorts messages by site or tag without parsing them. */
function descriptionOf({ payload }: PublishedRecord): Readonly<Record<string, string>> {
  if (!('stream' in payload)) return {};
  const { name, site, tags, location } = payload.stream;
  return {
    ...(name !== undefined && { ce_streamname: name }),
    ...(site !== undefined && { ce_site: site }),
    ...(tags && { ce_tags: tags.join(',') }),
    ...(location !== undefined && { ce_location: location }),
  };
}

interface Attributes {
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly sequence?: string;
}

function attributesOf(record: PublishedRecord): Attributes {
  switch (record.type) {
    case 'action.event': {
      const { episode_id: subject, sequence, state } = record.payload;
      return {
        type: `io.actionstream.action.${state}.v1`,
        subject,
        time: eventTimeOf(record.payload),
        sequence: String(sequence),
      };
    }
    case 'clip.stats': {
      const { clip_id: subject, clip_end: time, clip_seq: sequence } = record.payload;
      return { type: 'io.actionstream.clip.scored.v1', subject, time, sequence: String(sequence) };
    }
    case 'stream.status': {
      const { stream_id: subject, at: time, state } = record.payload;
      return { type: `io.actionstream.stream.${state}.v1`, subject, time };
    }
  }
}

/** Event time of the change: the offset once known, else as far as the episode has come. */
function eventTimeOf({
  started_at: startedAt,
  ended_at: endedAt,
  duration_ms: durationMs,
}: ActionEvent): string {
  if (endedAt !== undefined) return endedAt;
  return durationMs === undefined ? startedAt : toRfc3339(Date.parse(startedAt) + durationMs);
}
