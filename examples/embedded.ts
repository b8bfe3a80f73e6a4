// The pipeline inside a program of your own: npx tsx examples/embedded.ts VIDEO
import { createPipeline, type EventSink } from 'actionstream';
import { filter, map, scan } from 'rxjs';

const [video = 'video.mp4', journal = 'actionstream-data/journal'] = process.argv.slice(2);

/** A sink of your own gets what the journal holds, and again what it did not take. */
const printer: EventSink = {
  name: 'printer',
  open: () => Promise.resolve(),
  write(batch) {
    for (const { record } of batch)
      if (record.type === 'action.event')
        console.log(`delivered ${record.payload.label} ${record.payload.state}`);
    return Promise.resolve();
  },
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

const pipeline = createPipeline({
  settings: {
    model: { path: 's3d-g-atfr' },
    streams: [{ id: 'hall', url: video }],
    journal: { dir: journal },
    log: { level: 'warn' },
  },
  sinks: [printer],
});

// Observables of RxJS: actions as they end, and what has been saved so far.
pipeline.events
  .pipe(
    filter(({ state }) => state === 'ended'),
    map(({ label, started_at: from, ended_at: to }) => `${label}: ${from} to ${to ?? ''}`),
  )
  .subscribe(console.log);
pipeline.clips
  .pipe(
    scan(
      ({ used, dense }, { compute }) => ({
        used: used + compute.multiply_adds,
        dense: dense + compute.dense_multiply_adds,
      }),
      { used: 0, dense: 0 },
    ),
  )
  .subscribe({
    next: ({ used, dense }) => process.stderr.write(`\rsaved ${(100 * (1 - used / dense)).toFixed(0)} %`),
    complete: () => process.stderr.write('\n'),
  });

process.once('SIGINT', () => {
  pipeline.stop();
});
const { outcomes } = await pipeline.run();
for (const { streamId, reason, totals } of outcomes)
  console.log(`${streamId} ${reason} after ${totals.clips} clips and ${totals.events} events`);
