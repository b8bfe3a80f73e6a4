export type Env = Readonly<Record<string, string | undefined>>;

/** `${NAME}`, `${NAME:-default}`, and `$${` for a literal `${`. */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/**
 * Text with references to environment variables replaced. A default stands in
 * for a variable that is unset or empty, as in a shell.
 *
 * @returns the text, and what was wrong with its references
 */
export function substituteEnv(
  text: string,
  env: Env,
): { readonly text: string; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const substituted = text.replace(REFERENCE, (reference, name?: string, fallback?: string) => {
    if (reference === '$${') return '${';
    if (name === undefined) {
      problems.push('expected ${NAME} or ${NAME:-default}; write $${ for a literal ${');
      return '';
    }
    const value = env[name];
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined) {
      problems.push(`environment variable ${name} is not set; set it, or write \${${name}:-default}`);
    }
    return value ?? '';
  });
  return { text: substituted, problems };
}
