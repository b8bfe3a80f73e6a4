import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { sleep } from '../../src/core/abort.ts';
import type { LocalKafka } from '../local/kafka.ts';
import type { LocalPostgres } from '../local/postgres.ts';
import type { RtspServer } from '../local/rtsp-server.ts';
import type { SoakRun } from './soak-run.ts';

export interface FaultParts {
  readonly run: SoakRun;
  readonly cameras: readonly RtspServer[];
  readonly kafka: LocalKafka;
  readonly postgres: LocalPostgres;
  readonly seed: number;
  readonly say: (text: string) => void;
}

/** What happens, and what undoes it. */
type Fault = (camera: RtspServer) => Promise<(() => void) | undefined>;

/**
 * One fault after the other, each healed before the next, until the signal
 * aborts; then all is well. Resolves to how often each happened.
 */
export async function injectFaults(
  { run, cameras, kafka, postgres, seed, say }: FaultParts,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const faults: Readonly<Record<string, Fault>> = {
    'camera stalls': (camera) => {
      camera.faults.stall();
      return healedBy(() => {
        camera.faults.resume();
      });
    },
    'camera drops its connections': (camera) => {
      camera.faults.dropClients();
      return healedBy();
    },
    'camera answers 503': (camera) => {
      camera.faults.refuse(503);
      camera.faults.dropClients();
      return healedBy(() => {
        camera.faults.refuse(undefined);
      });
    },
    'camera loses 5 % of its packets': (camera) => {
      camera.faults.loss(0.05);
      return healedBy(() => {
        camera.faults.loss(0);
      });
    },
    'engine process killed': async () => {
      await signalEngine(run.pid, 'SIGKILL');
      return undefined;
    },
    'engine process stopped': async () => {
      await signalEngine(run.pid, 'SIGSTOP');
      return undefined;
    },
    'Kafka frozen': () => {
      kafka.freeze();
      return healedBy(() => {
        kafka.thaw();
      });
    },
    'Kafka killed and started': async () => {
      await kafka.kill();
      await kafka.restart();
      return undefined;
    },
    'Postgres killed and started': async () => {
      await postgres.kill();
      await postgres.restart();
      return undefined;
    },
    'Postgres frozen': () => {
      postgres.freeze();
      return healedBy(() => {
        postgres.thaw();
      });
    },
  };
  const names = Object.keys(faults);
  const counts = new Map<string, number>();
  const random = randomOf(seed);
  while (!signal.aborted) {
    await sleep(4000 + 8000 * random(), signal);
    const name = names[Math.floor(random() * names.length)] ?? '';
    const camera = cameras[Math.floor(random() * cameras.length)];
    if (!camera || isOver(signal)) break;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const heal = await faults[name]?.(camera);
    await sleep(2000 + 4000 * random(), signal);
    heal?.();
  }
  say('no more faults');
  return counts;
}

/** Looked at anew: the compiler takes it for false after the loop's own condition. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

function healedBy(heal?: () => void): Promise<(() => void) | undefined> {
  return Promise.resolve(heal);
}

/** To one child of the run that is an engine, if there is one now. */
async function signalEngine(root: number, signal: NodeJS.Signals): Promise<void> {
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      const parent = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
      if (parent !== root || !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('entry.js')) continue;
      process.kill(pid, signal);
      return;
    } catch {
      // It has ended since the list was read.
    }
  }
}

/** Mulberry32: the same faults for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
