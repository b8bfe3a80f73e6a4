import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * A child that dies with us, also when we are killed with SIGKILL, in POSIX shell and without native code.
 *
 * Two processes, both children of ours, so that we reap both: where we are pid
 * 1 of a container, nobody else does.
 *
 * - The shell that *becomes* the program: it reads lines from stdin up to an empty one (they
 *   become the program's stdin: a playlist with a URL that must not show in the process
 *   list), then replaces itself, so that pid, exit code and signals are the program's own. If
 *   its stdin ends before the empty line, we are gone, and it ends without starting anything.
 * - The watcher, started before that empty line is written. It waits on a pipe that we hold open:
 *   - a line: the program has ended, the watcher ends too (the pid may belong
 *     to somebody else by now: no kill);
 *   - end of file without a line: we are gone, so it kills the program and removes the folder that it
 *     was given, if any.
 *   A Ctrl-C, which reaches the whole foreground group, leaves the watcher alone.
 *
 * The here-document is not expanded twice: `$` and backquotes in a password stay what they are.
 */
const GUARD_SCRIPT = `exec 3<&0
list=
while :; do
IFS= read -r line <&3 || exit 1
[ -n "$line" ] || break
list="$list$line
"; done
exec "$@" 3<&- <<EOF
$list
EOF
`;
const WATCH_SCRIPT = `trap '' INT HUP TERM; read -r line || { kill -KILL "$1"; [ -z "$2" ] || rm -rf -- "$2"; }`;
const NAME = 'actionstream-guard';

export const GUARD_SHELL = '/bin/sh';

/** Arguments of the shell that come before those of the program. */
export function guardArguments(program: string): readonly string[] {
  return ['-c', GUARD_SCRIPT, NAME, program];
}

/** The part of a child process that its watcher needs. */
interface WatchedChild {
  readonly pid?: number | undefined;
  kill(signal: 'SIGKILL'): unknown;
  once(event: 'exit', listener: () => void): unknown;
}

/** A child that starts as the guard's shell. */
interface GuardedChild extends WatchedChild {
  readonly stdin: NodeJS.WritableStream | null;
}

/**
 * Starts the watcher, hands the child its stdin, and ends the watcher when the child has ended.
 * @returns resolves once the watcher is gone and reaped
 */
export async function holdGuard(child: GuardedChild, input: readonly string[]): Promise<void> {
  // The child may be gone before it has read anything; its exit is what counts.
  child.stdin?.on('error', () => undefined);
  const gone = watchOver(child);
  // Ended by the watcher's absence it reads nothing more.
  child.stdin?.end([...input, '', ''].join('\n'));
  await gone;
}

/**
 * Starts the watcher of a child that runs already, and ends it when the child has
 * ended. Without a watcher (the machine has no process to spare) the child is killed.
 * @param folder of the child alone: removed if we die before it
 * @returns resolves once the watcher is gone and reaped
 */
export async function watchOver(child: WatchedChild, folder?: string): Promise<void> {
  if (child.pid === undefined) return;
  const names = [String(child.pid), ...(folder === undefined ? [] : [folder])];
  const watcher = spawn(GUARD_SHELL, ['-c', WATCH_SCRIPT, NAME, ...names], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.stdin.on('error', () => undefined);
  child.once('exit', () => watcher.stdin.end('\n'));
  const gone = once(watcher, 'close').catch(() => undefined);
  if (watcher.pid === undefined) child.kill('SIGKILL');
  await gone;
}
