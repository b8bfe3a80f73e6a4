// `npm run pack:tarball [-- FOLDER]`, after a build: the tarball that `npm i -g TARBALL` installs. It brings
// ONNX Runtime for Linux with it: that package's own install script fetches CUDA from outside the registry,
// and its files for other systems are five times as large (ADR 0042).
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const RUNTIME = 'onnxruntime-node';
const FOREIGN = /\/bin\/napi-v\d+\/(?!linux(\/|$))|\/script$/;

const destination = path.resolve(process.argv[2] ?? ROOT);
const stage = mkdtempSync(path.join(tmpdir(), 'actionstream-pack-'));
try {
  stageFiles();
  stageRuntime();
  writeManifest();
  const [{ filename }] = JSON.parse(
    npm(['pack', '--json', '--ignore-scripts', '--pack-destination', destination], stage),
  );
  const tarball = path.join(destination, filename);
  console.log(`${tarball}: ${(statSync(tarball).size / 1e6).toFixed(1)} MB`);
} finally {
  rmSync(stage, { recursive: true, force: true });
}

/** What `files` of package.json names, and a bill of materials. */
function stageFiles() {
  const [{ files }] = JSON.parse(npm(['pack', '--dry-run', '--json', '--ignore-scripts'], ROOT));
  for (const { path: file } of files) cpSync(path.join(ROOT, file), path.join(stage, file));
  const sbom = npm(['sbom', '--omit', 'dev', '--package-lock-only', '--sbom-format', 'cyclonedx'], ROOT);
  writeFileSync(path.join(stage, 'sbom.cdx.json'), sbom);
}

function stageRuntime() {
  const from = path.join(ROOT, 'node_modules', RUNTIME);
  const to = path.join(stage, 'node_modules', RUNTIME);
  cpSync(from, to, { recursive: true, filter: (file) => !FOREIGN.test(file) });
  const manifest = readJson(path.join(from, 'package.json'));
  // Its other packages serve the install script alone.
  const dependencies = without(manifest.dependencies, ['adm-zip', 'global-agent']);
  writeJson(path.join(to, 'package.json'), { ...manifest, scripts: {}, devDependencies: {}, dependencies });
  for (const name of Object.keys(dependencies)) {
    cpSync(path.join(ROOT, 'node_modules', name), path.join(stage, 'node_modules', name), {
      recursive: true,
    });
  }
}

function writeManifest() {
  const manifest = readJson(path.join(ROOT, 'package.json'));
  writeJson(path.join(stage, 'package.json'), {
    ...without(manifest, ['private', 'scripts', 'devDependencies']),
    files: [...manifest.files, 'sbom.cdx.json'],
    os: ['linux'],
    cpu: ['x64', 'arm64'],
    bundleDependencies: [RUNTIME],
  });
}

function without(object, keys) {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

function npm(args, cwd) {
  return execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function writeJson(file, value) {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}
