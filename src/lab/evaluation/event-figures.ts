import { bootstrapInterval } from './bootstrap.ts';
import { rounded } from './compute-figures.ts';
import { roundedInterval } from './detection-figures.ts';
import { wilsonInterval, type Interval } from '../../core/wilson.ts';
import { poissonInterval } from './intervals.ts';
import { matchEvents, type EventMatch } from './match-events.ts';
import type { TimedAction, WatchedExample } from './results.ts';

/** How well the reported episodes of one label find its true ones. */
export interface EventFigures {
  readonly events: number;
  /** Events that an episode of their own found. */
  readonly detected: number;
  /** Episodes where nothing of the kind happened. */
  readonly false_alarms: number;
  /**
   * Further episodes of an event that was found already: they count against precision, not as false alarms.
   */
  readonly repeats: number;
  readonly hours: number;
  readonly false_alarms_an_hour: number;
  readonly false_alarms_an_hour_interval: Interval;
  /** Absent where nothing was reported. */
  readonly precision?: number;
  readonly precision_interval?: Interval;
  /** Absent where nothing happened. */
  readonly recall?: number;
  readonly recall_interval?: Interval;
  readonly f1?: number;
  /** Over whole videos drawn with replacement. */
  readonly f1_interval?: Interval;
  /** Mean distance of starts and ends, over what was detected. */
  readonly onset_error_s?: number;
  readonly offset_error_s?: number;
}

export interface EventFiguresOptions {
  readonly labelId: number;
  readonly toleranceS: number;
  readonly seed: number;
}

/** Figures without intervals, which a thousand draws each take. */
export type EventCounts = Pick<
  EventFigures,
  'events' | 'detected' | 'false_alarms' | 'repeats' | 'f1' | 'onset_error_s' | 'offset_error_s'
>;

/** @param videos at least one, of some length */
export function eventFigures(
  videos: readonly WatchedExample[],
  { labelId, toleranceS, seed }: EventFiguresOptions,
): EventFigures {
  const matches = matchEventsOf(videos, { labelId, toleranceS });
  const counts = countEvents(matches);
  const { events, detected, false_alarms: falseAlarms, repeats } = counts;
  const reported = detected + falseAlarms + repeats;
  const hours = videos.reduce((sum, { durationS }) => sum + durationS, 0) / 3600;
  const f1Interval = bootstrapInterval(matches, (sample) => f1Of(tally(sample)), { seed });
  return {
    ...counts,
    hours: rounded(hours),
    false_alarms_an_hour: rounded(falseAlarms / hours),
    false_alarms_an_hour_interval: roundedInterval(poissonInterval(falseAlarms, hours)),
    ...(reported > 0 && {
      precision: rounded(detected / reported),
      precision_interval: roundedInterval(wilsonInterval(detected, reported)),
    }),
    ...(events > 0 && {
      recall: rounded(detected / events),
      recall_interval: roundedInterval(wilsonInterval(detected, events)),
    }),
    ...(f1Interval && { f1_interval: roundedInterval(f1Interval) }),
  };
}

/** The episodes of one label beside its true events, video by video. */
export function matchEventsOf(
  videos: readonly WatchedExample[],
  { labelId, toleranceS }: Omit<EventFiguresOptions, 'seed'>,
): readonly VideoMatch[] {
  return videos.map(({ group, truth, found }) => {
    const ofLabel = (action: TimedAction): boolean => action.labelId === labelId;
    const match = matchEvents(truth.filter(ofLabel), found.filter(ofLabel), toleranceS);
    return { group, match };
  });
}

/** What `eventFigures` has no interval of. */
export function countEvents(matches: readonly VideoMatch[]): EventCounts {
  const total = tally(matches);
  const { events, detected, falseAlarms, repeats, pairs } = total;
  const f1 = f1Of(total);
  const meanError = (end: 'startS' | 'endS'): number =>
    rounded(
      pairs.reduce((sum, { truth, found }) => sum + Math.abs(truth[end] - found[end]), 0) / pairs.length,
    );
  return {
    ...{ events, detected, false_alarms: falseAlarms, repeats },
    ...(f1 !== undefined && { f1: rounded(f1) }),
    ...(pairs.length > 0 && { onset_error_s: meanError('startS'), offset_error_s: meanError('endS') }),
  };
}

type Match = EventMatch<TimedAction, TimedAction>;

interface VideoMatch {
  readonly group: string;
  readonly match: Match;
}

interface Tally {
  readonly events: number;
  readonly detected: number;
  readonly falseAlarms: number;
  readonly repeats: number;
  readonly pairs: Match['pairs'];
}

function tally(matches: readonly VideoMatch[]): Tally {
  const sum = (count: (match: Match) => number): number =>
    matches.reduce((total, { match }) => total + count(match), 0);
  return {
    events: sum(({ pairs, missed }) => pairs.length + missed.length),
    detected: sum(({ pairs }) => pairs.length),
    falseAlarms: sum(({ falseAlarms }) => falseAlarms.length),
    repeats: sum(({ repeats }) => repeats.length),
    pairs: matches.flatMap(({ match }) => match.pairs),
  };
}

/** The harmonic mean of precision and recall; undefined where nothing happened and nothing was reported. */
function f1Of({ events, detected, falseAlarms, repeats }: Tally): number | undefined {
  const all = events + detected + falseAlarms + repeats;
  return all === 0 ? undefined : (2 * detected) / all;
}
