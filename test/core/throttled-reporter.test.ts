import { describe, expect, it } from 'vitest';

import { silentLogger } from '../../src/core/logger.ts';
import { createThrottledReporter } from '../../src/core/throttled-reporter.ts';

describe('throttled reporter', () => {
  it('logs at most once a second, with the count and the last cause, and loses none', () => {
    const logged: object[] = [];
    let now = 0;
    const reporter = createThrottledReporter(
      { ...silentLogger, warn: (fields) => void logged.push(fields) },
      { message: 'damaged', fields: { stream_id: 'cam' }, now: () => now },
    );

    for (; now < 2500; now += 10) reporter.note(`cause ${now}`);
    reporter.flush();
    reporter.flush();

    expect(logged).toEqual([
      { stream_id: 'cam', count: 1, last_cause: 'cause 0' },
      { stream_id: 'cam', count: 100, last_cause: 'cause 1000' },
      { stream_id: 'cam', count: 100, last_cause: 'cause 2000' },
      { stream_id: 'cam', count: 49, last_cause: 'cause 2490' },
    ]);
  });
});
