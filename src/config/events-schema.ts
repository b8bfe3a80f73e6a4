import { z } from 'zod';
import { duration, fraction, list, overrides, section, text, weight } from '../settings/fields.ts';

const policyShape = {
  on: fraction(
    "Score from which an episode starts. Default: the model's own threshold for the label, else 0.6.",
  ).optional(),
  off: fraction("Score below which it ends. Default: the model's own, else 0.2 less than `on`.").optional(),
  smoothing: weight('Weight of the newest score in the running mean; 1: none.').default(1),
  min_duration: duration('Shorter episodes are never published.').prefault('1s'),
  merge_gap: duration(
    'A dip below `off`, or time that no clip covers, no longer than this does not end an episode.',
  ).prefault('1s'),
  cooldown: duration('Silence of the label after an end.').prefault('0s'),
  max_duration: duration('An episode this long is ended and may start anew.').prefault('10m'),
  update_interval: duration('`updated` at most this often.').prefault('10s'),
};

const allow = list(
  text('A label.'),
  'Only these labels become events. Default: all but the background.',
).optional();
const labels = z
  .record(z.string(), section(overrides(policyShape), 'Settings of one label.'), {
    error: 'expected labels, each with settings',
  })
  .meta({ description: 'Settings of single labels, in place of those above.' });

/** For all streams. */
export const eventsSchema = section(
  { ...policyShape, labels: labels.prefault({}), allow },
  'When scores become episodes.',
);

/** For one stream. */
export const streamEventsSchema = section(
  { ...overrides(policyShape), labels: labels.prefault({}), allow },
  'When scores become episodes on this stream, in place of `events`.',
);
