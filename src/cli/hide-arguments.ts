import { redactUrl } from '../core/redact.ts';

const SECRET_FLAG = /^--(password|[a-z-]*secret|[a-z-]*token)$/;

/**
 * Overwrites our own entry in the process list where an argument holds a secret, as far as the system lets
 * us: on Linux the whole line. main.ts loads it before everything else, since until then others can read it.
 * @returns whether a password was among them; the user of a URL is hidden too, and is none
 */
export function hideArguments(argv: readonly string[], overwrite: (title: string) => void): boolean {
  const shown = argv.map((argument, i) => {
    if (SECRET_FLAG.test(argv[i - 1] ?? '')) return '***';
    return redactUrl(argument.replace(/^(--(?:password|[a-z-]*secret|[a-z-]*token)=).*$/s, '$1***'));
  });
  if (shown.every((argument, i) => argument === argv[i])) return false;
  overwrite(shown.join(' '));
  return argv.some((argument, i) => argument !== shown[i] && (shown[i] === '***' || !hasOnlyUser(argument)));
}

/** `rtsp://viewer@camera/1`: without the user nothing is left to hide. */
function hasOnlyUser(url: string): boolean {
  const withoutUser = url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^:/?#@\s]+:?@/i, '$1');
  return withoutUser !== url && redactUrl(withoutUser) === withoutUser;
}

/** Of this process. */
export const argumentsHeldPassword = hideArguments(process.argv, (title) => {
  process.title = title;
});
