import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config/index.ts';
import type { Config } from '../../src/config/index.ts';
import type { LoadOptions } from '../../src/config/load-config.ts';
import { ActionstreamError } from '../../src/core/errors.ts';

/** A file in a folder of its own, gone when the test ends. */
export function writeTemporary(name: string, text: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'actionstream-config-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** Streams that are there because a configuration must have one. */
export const STREAMS = 'streams: [{ id: cam, url: rtsp://cam/1 }]\n';

export function load(yaml: string, options: LoadOptions = {}): Config {
  return loadConfig(writeTemporary('site.yaml', yaml), { env: {}, ...options });
}

/** Everything that is wrong with a configuration, one entry a problem, without the folder of the file. */
export function problemsOf(act: () => unknown): readonly string[] {
  try {
    act();
  } catch (error) {
    if (!(error instanceof ActionstreamError) || error.code !== 'CONFIG_INVALID') throw error;
    const [first = '', ...rest] = error.message.split('\n').map((line) => line.trim());
    return (rest.length > 0 ? rest : [first]).map((line) => line.replace(/^\S*\/site\.yaml/, 'site.yaml'));
  }
  return [];
}
