import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  /** Tells a process from a later one with the same pid. */
  readonly started: string;
  readonly command: string;
}

/** Processes below `root`, children of children too; the dead that nobody has collected yet do not count. */
export async function descendantsOf(root: number): Promise<readonly RunningProcess[]> {
  const all = await runningProcesses();
  const family = new Set([root]);
  const found: RunningProcess[] = [];
  // Parents have no need to come first in the list: go round until nothing is added.
  for (let before = -1; before !== found.length;) {
    before = found.length;
    for (const candidate of all) {
      if (!family.has(candidate.parent) || family.has(candidate.pid)) continue;
      family.add(candidate.pid);
      found.push(candidate);
    }
  }
  return found.filter(({ command }) => !command.startsWith('ps '));
}

/** Those of the given processes that still run. */
export async function stillRunning(processes: readonly RunningProcess[]): Promise<readonly RunningProcess[]> {
  const all = await runningProcesses();
  return processes.filter((old) =>
    all.some(({ pid, started }) => pid === old.pid && started === old.started),
  );
}

async function runningProcesses(): Promise<readonly RunningProcess[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,stat=,lstart=,args='], {
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 1 << 24,
  });
  const pattern = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/gm;
  return Array.from(stdout.matchAll(pattern)).flatMap(
    ([, pid, parent, state = '', started = '', command = '']) =>
      state.startsWith('Z') ? [] : [{ pid: Number(pid), parent: Number(parent), started, command }],
  );
}
