import type { StreamDescription } from '../core/records.ts';
import type { Report } from './explain-issues.ts';
import { omit } from './omit.ts';
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
    const kind = stream.sampler.kind ?? settings.sampler.kind;
    checkSampler({ ...stream.sampler, ...(kind && { kind }) }, [...path, 'sampler'], report);
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

/**
 * The stream before `defaults`, setting by setting. The password may come from a file; `tls` counts as a
 * whole.
 */
function streamSettings(
  { id, sampler, events, ...stream }: Stream,
  settings: Settings,
  password: string | undefined,
): StreamSettings {
  const { defaults } = settings;
  const kind = stream.kind ?? defaults.kind ?? kindOf(stream.url);
  const realtime = stream.realtime ?? defaults.realtime;
  const waits = kind === 'file' && !realtime;
  return {
    policy: waits ? 'every_frame' : 'freshest',
    ...omit(defaults, ['tls', 'site']),
    ...omit(stream, ['password', 'passwordFile', 'tls', 'name', 'site', 'tags', 'location']),
    streamId: id,
    kind,
    ...(password !== undefined && { password }),
    ...descriptionOf(stream, defaults.site),
    window: { ...defaults.window, ...stream.window },
    faults: { ...defaults.faults, ...stream.faults },
    reconnect: { ...defaults.reconnect, ...stream.reconnect },
    sampler: streamSampler(settings.sampler, sampler),
    events: eventSettings(settings.events, events),
  };
}

/** A tag that is given twice counts once. */
function descriptionOf(
  { name, site: ownSite, tags, location }: Pick<Stream, 'name' | 'site' | 'tags' | 'location'>,
  defaultSite: string | undefined,
): { readonly about?: StreamDescription } {
  const site = ownSite ?? defaultSite;
  const about = {
    ...(name !== undefined && { name }),
    ...(site !== undefined && { site }),
    ...(tags && tags.length > 0 && { tags: [...new Set(tags)] }),
    ...(location !== undefined && { location }),
  };
  return Object.keys(about).length > 0 ? { about } : {};
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
  const allow = ownAllow ?? generalAllow;
  return {
    policy: { ...generalPolicy, ...ownPolicy },
    labels: Object.fromEntries(names.map((name) => [name, { ...generalLabels[name], ...ownLabels[name] }])),
    ...(allow && { allow }),
  };
}
