import { ActionstreamError } from '../core/errors.ts';
import { redact } from '../core/redact.ts';

/** Keys and list indices from the top of the configuration down. */
export type SettingPath = readonly (string | number)[];

/** One thing that is wrong. */
export interface Problem {
  /** `site.yaml:12:5`, `environment variable ACTIONSTREAM_…`, `command line`. */
  readonly where: string;
  readonly path: SettingPath;
  readonly message: string;
}

/** `streams[0].url`; empty for the whole configuration. */
export function dotted(path: SettingPath): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : i === 0 ? key : `.${key}`)).join('');
}

/** A configuration that cannot be used, with each problem by itself. */
export class ConfigInvalid extends ActionstreamError {
  readonly problems: readonly Problem[];

  constructor(message: string, problems: readonly Problem[]) {
    super('CONFIG_INVALID', message);
    this.problems = problems;
  }
}

/** All problems in one error, in the order of the file. URLs in it carry no passwords. */
export function configError(name: string, problems: readonly Problem[]): ConfigInvalid {
  const lines = problems.map(({ where, path, message }) =>
    [where, dotted(path), message].filter((part) => part !== '').join(': '),
  );
  const text =
    lines.length === 1 ? lines.join('') : `${name}: ${lines.length} problems\n  ${lines.join('\n  ')}`;
  return new ConfigInvalid(redact(text), problems);
}
