import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface LockedPackage {
  readonly hasInstallScript?: true;
  readonly dev?: true;
  readonly engines?: { readonly node?: string };
}

interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

test('an installation runs no script of onnxruntime-node, which would fetch CUDA from outside the registry', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as LockFile;
  const remedy =
    'npm has put it back: delete the line "hasInstallScript" of onnxruntime-node in package-lock.json (ADR 0033)';

  expect(Object.keys(packages)).toContain('node_modules/onnxruntime-node');
  expect(packages['node_modules/onnxruntime-node'], remedy).not.toHaveProperty('hasInstallScript');
});

test('no package of the program needs a newer Node than the program: npm would warn', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as LockFile;
  const oldest = 20;
  const newer = Object.entries(packages)
    .filter(([, { dev, engines }]) => dev !== true && needed(engines?.node ?? '') > oldest)
    .map(([name, { engines }]) => `${name}: Node ${engines?.node}`);

  expect(newer).toEqual([]);
});

/** The oldest major release that a range allows. */
function needed(range: string): number {
  return Math.min(...range.split('||').map((part) => Number(/\d+/.exec(part)?.[0] ?? 0)));
}

test('.npmrc names only settings that npm knows, so that an installation prints no warning of ours', () => {
  const keys = readFileSync('.npmrc', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('=')[0]);

  expect(keys).toEqual(['omit-lockfile-registry-resolved', 'fund', 'audit']);
});
