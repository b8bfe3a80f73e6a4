import { redactUrl } from '../core/redact.ts';

const SECRET_FLAG = /^--(password|[a-z-]*secret|[a-z-]*token)$/;

/**
 * Overwrites our own entry in the process list where an argument holds a secret, as far as the system lets
 * us: on Linux the whole line. main.ts loads it before everything else, since until then others can read it.
 * @returns whether there was something to hide
 */
export function hideArguments(argv: readonly string[], overwrite: (title: string) => void): boolean {
  const shown = argv.map((argument, i) => {
    if (SECRET_FLAG.test(argv[i - 1] ?? '')) return '***';
    return redactUrl(argument.replace(/^(--(?:password|[a-z-]*secret|[a-z-]*token)=).*$/s, '$1***'));
  });
  if (shown.every((argument, i) => argument === argv[i])) return false;
  overwrite(shown.join(' '));
  return true;
}

/** Of this process. */
export const argumentsHeldSecrets = hideArguments(process.argv, (title) => {
  process.title = title;
});
