import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

// No container engine runs here: what can go wrong without building it is held to the files that it names.
const lines = readFileSync('deploy/Dockerfile.gpu', 'utf8')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const packageJson = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly files: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
};

/** Folders that the program reads at run time; of the package's files the others are for people. */
const NOT_READ = ['bench/peer', 'deploy'];

test('the image holds every folder of the package that the program reads, and the TensorFlow that was built', () => {
  const copied = lines.flatMap((line) => /^COPY --from=build \/app\/(\S+) \.\/(\S*)$/.exec(line)?.[1] ?? []);

  expect(copied.sort()).toEqual(
    [
      'package.json',
      'node_modules',
      '.cache/tfjs',
      ...packageJson.files.filter((file) => !NOT_READ.includes(file)),
    ].sort(),
  );
});

test('nothing that it needs is kept from the build, and what is built here does not get in', () => {
  const ignored = readFileSync('deploy/Dockerfile.gpu.dockerignore', 'utf8').trim().split('\n');
  const built = ['.git', '.cache', 'node_modules', 'dist'];

  for (const name of built) expect(ignored).toContain(name);
  for (const name of readdirSync('.').filter((entry) => !built.includes(entry) && entry !== 'coverage')) {
    expect(ignored).not.toContain(name);
  }
});

test('its npm scripts exist, it starts the program, and its user can write where it works', () => {
  const scripts = lines.flatMap((line) => [...line.matchAll(/npm run (\S+)/g)].map(([, name]) => name!));

  expect(scripts).toEqual(['setup:tfjs']);
  for (const name of scripts) expect(Object.keys(packageJson.scripts)).toContain(name);
  expect(lines.at(-1)).toBe(`ENTRYPOINT ["node", "/app/${packageJson.bin['actionstream']!}"]`);
  expect(lines.slice(-4, -1)).toEqual(['USER node', 'WORKDIR /data', 'VOLUME /data']);
  expect(lines.join('\n')).toContain('install -d -o node -g node /data');
});
