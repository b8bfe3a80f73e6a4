import { systemCodeOf } from '../../core/errors.ts';
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { kill, pid, platform } from 'node:process';

/** Who holds a lock. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Process namespace: a pid means nothing in another one. `unknown` where the system has none. */
  readonly namespace: string;
  /** Boot and start time: tells a process from a later one with the same pid. */
  readonly startedAt: string;
  readonly token: string;
}

export function describeSelf(): Holder {
  return {
    pid,
    host: hostname(),
    namespace: ownNamespace(),
    startedAt: startOf(pid),
    token: randomUUID(),
  };
}

/** True only where the holder would be visible from here if it lived. */
export function isProvablyDead(holder: Holder): boolean {
  const namespace = ownNamespace();
  if (namespace === UNKNOWN || holder.namespace !== namespace) return false;
  if (bootOf(holder.startedAt) !== bootOf(startOf(pid))) return false;
  return startOf(holder.pid) !== holder.startedAt || !pidExists(holder.pid);
}

export function parseHolder(text: string): Holder | undefined {
  try {
    const { pid: id, host, startedAt, token, namespace = UNKNOWN } = JSON.parse(text) as Partial<Holder>;
    if (typeof id !== 'number' || host === undefined || startedAt === undefined || token === undefined) {
      return undefined;
    }
    return { pid: id, host, namespace, startedAt, token };
  } catch {
    return undefined;
  }
}

const UNKNOWN = 'unknown';

function ownNamespace(): string {
  // Elsewhere all processes of a machine see each other.
  if (platform !== 'linux') return `machine ${hostname()}`;
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return UNKNOWN;
  }
}

/** `boot:start`; without the start where no such process runs, `unknown` where the system does not tell. */
function startOf(id: number): string {
  let boot: string;
  try {
    boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return UNKNOWN;
  }
  try {
    const fields = readFileSync(`/proc/${id}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const isZombie = fields[0] === 'Z';
    return `${boot}:${isZombie ? '' : (fields[19] ?? '')}`;
  } catch {
    return `${boot}:`;
  }
}

function bootOf(startedAt: string): string {
  return startedAt.split(':', 1)[0] ?? '';
}

function pidExists(id: number): boolean {
  try {
    kill(id, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}
