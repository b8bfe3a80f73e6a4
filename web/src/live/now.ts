import { signal } from '@preact/signals';

/** The time, once a second: what reads it says "4 min ago" and stays right. */
export const now = signal(Date.now());

setInterval(() => {
  if (document.visibilityState === 'visible') now.value = Date.now();
}, 1000);
