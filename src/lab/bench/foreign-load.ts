import { readFileSync } from 'node:fs';
import { cpuUsage } from 'node:process';
import type { Sample } from './types.ts';

/** Clock ticks of /proc/stat a second, as Linux counts for every program. */
const TICKS = 100;

/**
 * Times `work`, which says how many processor seconds it took itself, and how many
 * cores other programs used meanwhile. That is 0 where the system does not tell.
 */
export async function sampleOf(
  work: () => Promise<{ readonly ms: number; readonly cpuS: number }>,
): Promise<Sample> {
  const busyBefore = busySeconds();
  const started = performance.now();
  const { ms, cpuS } = await work();
  const elapsedS = (performance.now() - started) / 1000;
  const others = busySeconds() - busyBefore - cpuS;
  return { ms, othersCores: Math.max(0, others / elapsedS) };
}

/** As `sampleOf`, for work in this process. */
export function sampleHere(work: () => Promise<unknown>): Promise<Sample> {
  return sampleOf(async () => {
    const cpu = cpuUsage();
    const started = performance.now();
    await work();
    const ms = performance.now() - started;
    const { user, system } = cpuUsage(cpu);
    return { ms, cpuS: (user + system) / 1e6 };
  });
}

/**
 * Processor seconds that all programs have used since the machine started; 0 where the system does not tell.
 */
export function busySeconds(): number {
  try {
    const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = first
      .split(/\s+/)
      .slice(1)
      .map(Number);
    return (user + nice + system + irq + softirq) / TICKS;
  } catch {
    return 0;
  }
}
