import { defined } from './defined.ts';
import type { Report } from './explain-issues.ts';
import type { SettingPath } from './problem.ts';
import { checkSampler, streamSampler } from './resolve-model.ts';
import type { Settings } from './schema.ts';
import type { FileSettings } from './secrets.ts';
import { sourceTrust } from './source-trust.ts';
import type { EventSettings, StreamSettings } from './types.ts';

type Stream = Settings['streams'][number];
type Policy = EventSettings['policy'];

/** Streams with what they leave out taken from `defaults`, `sampler` and `events`. */
export function resolveStreams(
  settings: Settings,
  { files, report }: { readonly files: FileSettings; readonly report: Report },
): readonly StreamSettings[] {
  checkPolicies(eventSettings(settings.events, NO_EVENTS), ['events'], report);
  return settings.streams.map((stream, i) => {
    const path = ['streams', i];
    if (settings.streams.findIndex(({ id }) => id === stream.id) < i) {
      report({
        path: [...path, 'id'],
        message: `"${stream.id}" is the id of another stream; ids must differ`,
      });
    }
    const password = files.secret(stream, path, 'password');
    const tls = stream.tls
      ? sourceTrust(stream.tls, [...path, 'tls'], { files, report })
      : sourceTrust(settings.defaults.tls, ['defaults', 'tls'], { files, report });
    const sampler = { ...stream.sampler, kind: stream.sampler.kind ?? settings.sampler.kind };
    checkSampler(sampler, [...path, 'sampler'], report);
    const resolved = { ...streamSettings(stream, settings, password), ...(tls && { tls }) };
    checkReconnect(resolved.reconnect, [...path, 'reconnect'], report);
    if (Object.keys(stream.events).length > 1 || Object.keys(stream.events.labels).length > 0) {
      checkPolicies(resolved.events, [...path, 'events'], report);
    }
    return resolved;
  });
}

/** A longest delay below the first one would cut that short. */
function checkReconnect(
  { firstMs, maxMs }: StreamSettings['reconnect'],
  path: SettingPath,
  report: Report,
): void {
  if (maxMs < firstMs) report({ path, message: `max (${maxMs} ms) must not be below first (${firstMs} ms)` });
}

const NO_EVENTS: Stream['events'] = { labels: {} };

/** The contradictions that a schema of single values cannot see. */
function checkPolicies({ policy, labels }: EventSettings, path: SettingPath, report: Report): void {
  const check = (own: Partial<Policy>, where: SettingPath): void => {
    const { on, off, minDurationMs, maxDurationMs } = { ...policy, ...own };
    if (on !== undefined && off !== undefined && off > on) {
      report({ path: where, message: `off (${off}) must not be above on (${on})` });
    }
    if (maxDurationMs <= 0 || minDurationMs > maxDurationMs) {
      report({ path: where, message: 'max_duration must be above 0 and no less than min_duration' });
    }
  };
  check({}, path);
  for (const [name, own] of Object.entries(labels)) check(own, [...path, 'labels', name]);
}

function streamSettings(
  stream: Stream,
  { defaults, events, sampler: general }: Settings,
  password: string | undefined,
): StreamSettings {
  const kind = stream.kind ?? defaults.kind ?? kindOf(stream.url);
  const realtime = stream.realtime ?? defaults.realtime;
  const waits = kind === 'file' && !realtime;
  const window = { ...defaults.window, ...defined(stream.window) };
  const reconnect = { ...defaults.reconnect, ...defined(stream.reconnect) };
  return {
    streamId: stream.id,
    url: stream.url,
    ...(stream.username !== undefined && { username: stream.username }),
    ...(password !== undefined && { password }),
    kind,
    realtime,
    policy: stream.policy ?? defaults.policy ?? (waits ? 'every_frame' : 'freshest'),
    transport: stream.transport ?? defaults.transport,
    ...defined({ fit: stream.fit ?? defaults.fit }),
    ...(stream.start_time !== undefined && { startTimeMs: stream.start_time }),
    noFrameTimeoutMs: stream.no_frame_timeout ?? defaults.no_frame_timeout,
    queueClips: stream.queue_clips ?? defaults.queue_clips,
    reconnect: {
      firstMs: reconnect.first,
      maxMs: reconnect.max,
      maxAttempts: reconnect.max_attempts === 0 ? Infinity : reconnect.max_attempts,
    },
    window: defined(window),
    sampler: streamSampler(general, stream.sampler),
    events: eventSettings(events, stream.events),
  };
}

/** Schemes that only cameras and encoders speak; http serves files as well. */
function kindOf(url: string): 'live' | 'file' {
  return /^(rtsps?|rtmp[ste]?|srt|udp|rtp|tcp|rist|mms[ht]):|\.sdp$/i.test(url) ? 'live' : 'file';
}

/** A stream's settings before the general ones; both before that, for single labels. */
function eventSettings(general: Settings['events'], own: Stream['events']): EventSettings {
  const { labels: generalLabels, allow: generalAllow, ...generalPolicy } = general;
  const { labels: ownLabels, allow: ownAllow, ...ownPolicy } = own;
  const names = [...new Set([...Object.keys(generalLabels), ...Object.keys(ownLabels)])];
  const labels = names.map((name) => [
    name,
    policyOf({ ...defined(generalLabels[name] ?? {}), ...defined(ownLabels[name] ?? {}) }),
  ]);
  const allow = ownAllow ?? generalAllow;
  return {
    policy: policyOf({ ...generalPolicy, ...defined(ownPolicy) }) as Policy,
    labels: Object.fromEntries(labels) as EventSettings['labels'],
    ...(allow && { allow }),
  };
}

function policyOf(settings: Partial<Omit<Settings['events'], 'labels' | 'allow'>>): Partial<Policy> {
  return defined({
    on: settings.on,
    off: settings.off,
    smoothing: settings.smoothing,
    minDurationMs: settings.min_duration,
    mergeGapMs: settings.merge_gap,
    cooldownMs: settings.cooldown,
    maxDurationMs: settings.max_duration,
    updateIntervalMs: settings.update_interval,
  });
}
