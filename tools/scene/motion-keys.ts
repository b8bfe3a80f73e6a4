import { ANSWER_KEYS } from './answer-keys.ts';
import { FALL_KEYS } from './fall-keys.ts';
import { MEETING_KEYS } from './meeting-keys.ts';
import { SEAT_KEYS } from './seat-keys.ts';

/** Motions that are a list of moments. Angles were set by eye against people filmed doing the same. */
export const MOTION_KEYS = { ...SEAT_KEYS, ...FALL_KEYS, ...MEETING_KEYS, ...ANSWER_KEYS };

export type KeyedMotion = keyof typeof MOTION_KEYS;
