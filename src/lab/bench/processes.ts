import { readdirSync, readFileSync } from 'node:fs';

/** Processor time and memory of a set of processes. */
export interface Usage {
  /** Processor seconds since they began. */
  readonly cpuS: number;
  /** Proportional set size: memory shared with others counts in part. */
  readonly bytes: number;
}

/** Usage of a process and all below it, by the part that `partOf` makes of each command line. Linux only. */
export function usageBelow(
  root: number,
  partOf: (command: string, isRoot: boolean) => string,
): ReadonlyMap<string, Usage> {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const fields = Number.isInteger(pid) ? statOf(pid) : [];
    if (fields.length > 0) parents.set(pid, Number(fields[1]));
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid);
    return pid === root || (parent !== undefined && parent !== 0 && isBelow(parent));
  };
  const usage = new Map<string, Usage>();
  for (const pid of parents.keys()) {
    if (!isBelow(pid)) continue;
    const part = partOf(readProc(pid, 'cmdline'), pid === root);
    const { cpuS, bytes } = usage.get(part) ?? { cpuS: 0, bytes: 0 };
    const fields = statOf(pid);
    const kibibytes = Number(/^Pss:\s+(\d+)/m.exec(readProc(pid, 'smaps_rollup'))?.[1] ?? 0);
    const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    usage.set(part, { cpuS: cpuS + ticks / 100, bytes: bytes + 1024 * kibibytes });
  }
  return usage;
}

/** Fields of /proc/PID/stat after the name, which may hold anything. */
function statOf(pid: number): readonly string[] {
  const stat = readProc(pid, 'stat');
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
