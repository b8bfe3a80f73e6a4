import { signal } from '@preact/signals';

/**
 * Of the page with the program.
 * - connecting: the first answer is awaited
 * - live: records arrive as they are journalled
 * - starting: the program answers, its model is being loaded
 * - locked: the program wants a token
 * - offline: the program does not answer; tried again without end
 */
export const connection = signal<'connecting' | 'live' | 'starting' | 'locked' | 'offline'>('connecting');
