import { readFileSync } from 'node:fs';
import { messageOf } from '../core/errors.ts';
import { innerName } from '../settings/inner-names.ts';
import type { Report } from './explain-issues.ts';
import type { SettingPath } from './problem.ts';

/**
 * Reads the files that settings name, and collects what is wrong with them.
 * `key` is as in the configuration file.
 */
export interface FileSettings {
  /**
   * The text of the file that `section.<key>_file` names, or `section.<key>`
   * itself; both at once is a problem.
   */
  secret(section: Readonly<Record<string, unknown>>, path: SettingPath, key: string): string | undefined;
  /** The text of the file that `section.<key>` names. */
  file(section: Readonly<Record<string, unknown>>, path: SettingPath, key: string): string | undefined;
}

export function createFileSettings(report: Report): FileSettings {
  const read = (name: string, path: SettingPath): string | undefined => {
    try {
      return readFileSync(name, 'utf8');
    } catch (error) {
      report({ path, message: `cannot be read: ${messageOf(error)}` });
      return undefined;
    }
  };
  const file: FileSettings['file'] = (section, path, key) => {
    const name = section[innerName(key)];
    return typeof name === 'string' ? read(name, [...path, key]) : undefined;
  };
  return {
    file,
    secret(section, path, key) {
      const value = section[innerName(key)];
      const fileKey = `${key}_file`;
      if (section[innerName(fileKey)] === undefined) return typeof value === 'string' ? value : undefined;
      if (value !== undefined) {
        report({
          path: [...path, fileKey],
          message: `${key} is set as well; give one of the two`,
          key: true,
        });
      }
      // Editors and `echo` end a file with a line break that is no part of the secret.
      return file(section, path, fileKey)?.replace(/\r?\n$/, '');
    },
  };
}
