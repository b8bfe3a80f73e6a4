/**
 * A child that dies with us, also when we are killed with SIGKILL, in POSIX shell and without native code.
 *
 * The shell reads lines from stdin up to an empty one (they become the child's stdin: a playlist with a URL that must not show in
 * the process list), starts a watcher in the background and then *becomes* the child, so that its pid, exit code and
 * signals are the child's own. The watcher waits on the rest of stdin, which we hold open:
 *   - a line: the child has ended, the watcher goes too (its pid may belong to somebody else by now: no kill);
 *   - end of file without a line: we are gone, so the child is killed.
 * A Ctrl-C, which reaches the whole foreground group, leaves the watcher alone.
 * The here-document is not expanded twice: `$` and backquotes in a password stay what they are.
 */
const GUARD_SCRIPT = `exec 3<&0
list=
while IFS= read -r line <&3 && [ -n "$line" ]; do list="$list$line
"; done
( trap '' INT HUP TERM; read -r line <&3 || kill -KILL $$ ) </dev/null >/dev/null 2>&1 &
exec "$@" 3<&- <<EOF
$list
EOF
`;

export const GUARD_SHELL = '/bin/sh';

/** Arguments of the shell that come before those of the program. */
export function guardArguments(program: string): readonly string[] {
  return ['-c', GUARD_SCRIPT, 'actionstream-guard', program];
}

/** The part of a child process that the guard needs. */
interface GuardedChild {
  readonly stdin: NodeJS.WritableStream | null;
  once(event: 'exit', listener: () => void): unknown;
}

/** Hands the child its stdin, keeps the life line open, and lets the watcher go when the child has ended. */
export function holdGuard(child: GuardedChild, input: readonly string[]): void {
  // The child may be gone before it has read anything; its exit is what counts.
  child.stdin?.on('error', () => undefined);
  child.stdin?.write([...input, '', ''].join('\n'));
  child.once('exit', () => child.stdin?.end('\n'));
}
