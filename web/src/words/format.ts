/** Numbers and times as the page shows them. Clock times are of the reader's own zone. */

const TIME = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const DAY_AND_YEAR = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const UNITS = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
const DAY_MS = 86_400_000;

/** `1.2 G`: three digits at most and a unit of thousands. */
export function compact(value: number): string {
  if (value === 0) return '0';
  const power = Math.min(Math.max(0, Math.floor(Math.log10(Math.abs(value)) / 3)), UNITS.length - 1);
  const scaled = value / 1000 ** power;
  const digits = Math.min(2, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(scaled)))));
  return `${Number(scaled.toFixed(digits))}${power === 0 ? '' : ` ${UNITS[power] ?? ''}`}`;
}

export function bytes(value: number): string {
  return value < 1000 ? `${value} B` : `${compact(value)}B`;
}

export function percent(ratio: number): string {
  return `${Math.round(ratio * 100)} %`;
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.round(hours / 24)} days`;
}

/** A recording without a start has times from 1970 on: they are times within it. */
function isWithinRecording(date: Date): boolean {
  return date.getTime() < 30 * DAY_MS;
}

/** `10:15:03`; of a recording without a start `0:11.1`. */
export function clock(time: string | number): string {
  const date = new Date(time);
  return isWithinRecording(date) ? positionOf(date) : TIME.format(date);
}

/** As `clock`, with the day where that is not today. */
export function moment(time: string | number, now = Date.now()): string {
  const date = new Date(time);
  if (isWithinRecording(date)) return `${positionOf(date)} into the recording`;
  if (date.toDateString() === new Date(now).toDateString()) return TIME.format(date);
  const isThisYear = date.getFullYear() === new Date(now).getFullYear();
  return `${(isThisYear ? DAY : DAY_AND_YEAR).format(date)}, ${TIME.format(date)}`;
}

/** `4 min ago` */
export function ago(time: string | number, now = Date.now()): string {
  const ms = now - new Date(time).getTime();
  if (ms < 5000) return 'just now';
  const whole = duration(ms);
  return `${whole.replace(/ \d+ (s|min)$/, '')} ago`;
}

/** The day in UTC, as `2026-11-22` → `22 Nov`. */
export function day(date: string): string {
  return DAY.format(new Date(`${date}T12:00:00`));
}

/** Plural where the count is not one: `3 clips`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${compact(count)} ${count === 1 ? one : many}`;
}

function positionOf(date: Date): string {
  const seconds = date.getTime() / 1000;
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
}
