import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

const run = promisify(execFile);

test('the tarball installs with plain npm, finds its models and runs, and is small', async () => {
  const directory = await temporaryDirectory();
  await run('node', [path.join(ROOT, 'tools', 'pack.mjs'), directory], { cwd: ROOT });
  const [name = ''] = readdirSync(directory).filter((file) => file.endsWith('.tgz'));
  const tarball = path.join(directory, name);
  const prefix = path.join(directory, 'global');

  await run('npm', ['install', '--global', '--prefix', prefix, tarball], {
    cwd: directory,
    env: strangerEnv(),
  });

  const program = path.join(prefix, 'bin', 'actionstream');
  const video = await busyVideo(directory);
  const { stdout } = await run(program, ['infer', video, '--json'], { cwd: directory, env: strangerEnv() });
  const [clip] = stdout.trim().split('\n');
  expect(JSON.parse(clip ?? '')).toMatchObject({ scores: expect.anything() as unknown });
  await run(program, ['doctor'], { cwd: directory, env: strangerEnv() });

  const installed = path.join(prefix, 'lib', 'node_modules', 'actionstream');
  const manifest = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8')) as object;
  for (const key of ['private', 'scripts', 'devDependencies']) expect(manifest).not.toHaveProperty(key);
  for (const folder of ['src', 'test', 'tools']) expect(readdirSync(installed)).not.toContain(folder);
  const sbom = JSON.parse(readFileSync(path.join(installed, 'sbom.cdx.json'), 'utf8')) as {
    bomFormat: string;
  };
  expect(sbom.bomFormat).toBe('CycloneDX');
  expect(statSync(tarball).size).toBeLessThan(40e6);
  expect(bytesBelow(prefix)).toBeLessThan(250e6);
});

/** A machine that knows nothing of this checkout: no setting of npm, no path of ours. */
function strangerEnv(): NodeJS.ProcessEnv {
  const { npm_config_registry: registry } = process.env;
  const own = Object.entries(process.env).filter(([key]) => !/^(npm_|INIT_CWD|NODE_PATH|VITEST)/.test(key));
  return { ...Object.fromEntries(own), ...(registry !== undefined && { npm_config_registry: registry }) };
}

function bytesBelow(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0);
}
