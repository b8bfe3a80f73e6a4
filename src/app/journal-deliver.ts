import { Resources } from '../core/resources.ts';
import { ActionstreamError } from '../core/errors.ts';
import { openSinksOnce, startDeliveries, type DeliveryReport } from '../pipeline/deliveries.ts';
import { createRunLog } from '../pipeline/run-log.ts';
import { inspectJournal } from '../sink/journal/inspect.ts';
import { openJournal } from '../sink/journal/open-journal.ts';
import type { AppContext } from './context.ts';
import { createLogger } from './logger.ts';
import { allOf, openSinks } from './open-sinks.ts';
import { storesOf, type Places } from './stores.ts';

export interface DeliverReport extends DeliveryReport {
  /** Records that each sink lacked before. */
  readonly waited: Readonly<Record<string, number>>;
  /** Episodes that were open in the journal and have an end now. */
  readonly endedEpisodes: number;
  /** Records that wait for sinks which were not named. */
  readonly left: Readonly<Record<string, number>>;
}

/** Each part has so long to close. */
const DISPOSE_MS = 2000;

/**
 * `journal deliver`: what a program that runs no more has left in its journal goes to the sinks. Its open
 * episodes end first, as at its next start. Goes on until all is delivered, or until the signal.
 * @throws USAGE where the journal knows none of the sinks; JOURNAL_LOCKED while its program runs
 */
export async function deliver(dir: string, places: Places, context: AppContext): Promise<DeliverReport> {
  const { signal, stdout } = context;
  const { sinks: known } = await inspectJournal(dir);
  const { kafka, postgres } = storesOf(places, context.env);
  const named = { ...(kafka && { kafka }), ...(postgres && { postgres }) };
  const chosen = Object.fromEntries(Object.entries(named).filter(([name]) => Object.hasOwn(known, name)));
  const logger = createLogger(context.stderr, 'warn');
  await using resources = new Resources({ disposeWithinMs: DISPOSE_MS });
  const sinks = openSinks({ sinks: chosen }, { logger, stdout });
  if (sinks.length === 0) throw noSink(dir, Object.keys(known), Object.keys(named));
  resources.add(allOf(sinks), 'the sinks');
  const consumers = sinks.map(({ name }) => name);
  const journal = resources.add(await openJournal({ dir, consumers, logger }), 'the journal');
  const endedEpisodes = journal.openEpisodes().length;
  const log = createRunLog(journal, signal, logger);
  await log.endOpenEpisodes();
  await log.finish();
  await openSinksOnce(sinks, signal, logger);
  const deliveries = resources.add(startDeliveries(journal, sinks, logger), 'the deliveries');
  await Promise.all(consumers.map((name) => deliveries.caughtUp(name, signal)));
  const report = await deliveries.finish(signal);
  const waited = Object.fromEntries(consumers.map((name) => [name, known[name]?.waiting ?? 0]));
  return { ...report, waited, endedEpisodes, left: journal.stats().idleRecords };
}

function noSink(dir: string, known: readonly string[], named: readonly string[]): ActionstreamError {
  const [has, given] = [known.join(', ') || 'no sink', named.join(', ') || 'none was named'];
  return new ActionstreamError(
    'USAGE',
    `journal ${dir} keeps records for ${has}, and of these ${given}; name a configuration file, --kafka or --postgres`,
  );
}
