// npm run setup:tfjs [-- --cpu|--gpu] [--force] [--if-possible]
//
// Builds @tensorflow/tfjs-node-gpu for this machine. The package's own installer downloads
// libtensorflow 2.9.1 from outside any package registry; instead its binding is compiled,
// unchanged, against the TensorFlow that PyPI has. All of it lands in .cache/tfjs, which `npm
// ci` leaves alone and where the engine looks (src/inference/engines/tfjs/tensorflow.ts).
//
// Needs: Linux on x64, Python 3 with pip, a C++ compiler, make, Node's headers. --if-possible:
// where one of them, the network or the disk is missing, one line says so and the exit code is 0.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const RECIPE = path.join(ROOT, 'tools', 'tfjs');
const TARGET = path.join(ROOT, '.cache', 'tfjs');
/**
 * Built beside the target and moved there when it works, so that an interrupted run leaves nothing half done.
 */
const STAGING = `${TARGET}.new`;
const PACKAGE = path.join('node_modules', '@tensorflow', 'tfjs-node-gpu');

/**
 * Wheels of one kind: a pip requirements file with checksums, and the disk that
 * it takes unpacked and while building.
 */
const BUILDS = {
  cpu: { wheel: 'tensorflow-cpu 2.15.1', requirements: 'wheels-cpu.txt', download: '0.2 GB', diskGb: 2 },
  gpu: {
    wheel: 'tensorflow 2.15.1 with CUDA 12.2',
    requirements: 'wheels-gpu.txt',
    download: '2.3 GB',
    diskGb: 9,
  },
};

const { values: flags } = parseArgs({
  options: {
    cpu: { type: 'boolean' },
    gpu: { type: 'boolean' },
    force: { type: 'boolean', default: false },
    'if-possible': { type: 'boolean', default: false },
  },
});
if (flags.cpu && flags.gpu) fail('--cpu or --gpu, not both', 2);
const kind = flags.gpu || (!flags.cpu && fs.existsSync('/proc/driver/nvidia/version')) ? 'gpu' : 'cpu';
const build = BUILDS[kind];
const record = JSON.stringify({ wheel: build.wheel });

if (!flags.force && isSetUp()) {
  say(`${build.wheel} is set up already (--force builds it anew)`);
  process.exit(0);
}
const startedMs = performance.now();
const tools = checkMachine();
say(`building tfjs-node-gpu against ${build.wheel} (downloads ${build.download})`);
fs.rmSync(STAGING, { recursive: true, force: true });
fs.mkdirSync(STAGING, { recursive: true });
try {
  installPackage();
  fetchTensorFlow();
  compile();
  const { problem, version, gpu } = tryAddon(STAGING);
  if (problem) fail(`the addon was built but does not work:\n${problem}`);
  fs.writeFileSync(path.join(STAGING, 'setup.json'), record);
  fs.rmSync(TARGET, { recursive: true, force: true });
  fs.renameSync(STAGING, TARGET);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  say(`done in ${seconds} s: TensorFlow ${version} on ${gpu ? 'a GPU' : 'the CPU'}`);
} finally {
  fs.rmSync(STAGING, { recursive: true, force: true });
}

/** Everything that the build needs, before anything is downloaded. */
function checkMachine() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    giveUp(
      `this recipe is for Linux on x64, not ${process.platform} on ${process.arch}: npm i @tensorflow/tfjs-node there, or use --provider wasm`,
    );
  }
  const python = ['python3', 'python'].find((name) => succeeds(name, ['-m', 'pip', '--version']));
  if (!python) giveUp('Python 3 with pip is missing (Debian: apt-get install python3-pip)');
  for (const program of ['make', process.env.CXX ?? 'g++']) {
    if (!succeeds(program, ['--version']))
      giveUp(`${program} is missing (Debian: apt-get install build-essential)`);
  }
  const freeGb = (({ bavail, bsize }) => (bavail * bsize) / 1e9)(fs.statfsSync(ROOT));
  if (freeGb < build.diskGb)
    giveUp(`${build.diskGb} GB of disk are needed in ${ROOT}, ${freeGb.toFixed(1)} are free`);
  const npm = fs.realpathSync(process.env.npm_execpath ?? findOnPath('npm'));
  return { python, npm, nodedir: findHeaders() };
}

/** Node's own headers, of this very version: node-gyp would otherwise download them. */
function findHeaders() {
  const candidates = [
    process.env.npm_config_nodedir,
    path.join(process.execPath, '..', '..'),
    '/usr',
    '/usr/local',
  ];
  const wanted = process.versions.node.split('.')[0];
  const nodedir = candidates.find((folder) => {
    const header = folder && path.join(folder, 'include', 'node', 'node_version.h');
    return (
      header &&
      fs.existsSync(header) &&
      /NODE_MAJOR_VERSION (\d+)/.exec(fs.readFileSync(header, 'utf8'))?.[1] === wanted
    );
  });
  if (nodedir) return path.resolve(nodedir);
  return giveUp(
    `the headers of Node ${wanted} are missing: take Node from nodejs.org or nodesource (both bring them), apt-get install ` +
      'libnode-dev for a Debian Node, or set npm_config_nodedir to a folder that holds include/node',
  );
}

/** Its JavaScript, by its own lock file; nothing of it runs. */
function installPackage() {
  for (const name of ['package.json', 'package-lock.json'])
    fs.copyFileSync(path.join(RECIPE, name), path.join(STAGING, name));
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  run(process.execPath, [tools.npm, 'ci', ...options], 'npm cannot install @tensorflow/tfjs-node-gpu');
}

function fetchTensorFlow() {
  const wheels = path.join(STAGING, 'wheels');
  // The addon links to TensorFlow's libraries, not to Python: any wheel of the
  // version will do, whatever Python is here.
  const platform = [
    '--only-binary=:all:',
    '--platform',
    'manylinux2014_x86_64',
    '--python-version',
    '3.11',
    '--implementation',
    'cp',
    '--abi',
    'cp311',
    '--abi',
    'none',
  ];
  run(
    tools.python,
    [
      '-m',
      'pip',
      'download',
      '-q',
      '--disable-pip-version-check',
      '--no-deps',
      '--require-hashes',
      ...platform,
      '-d',
      wheels,
      '-r',
      path.join(RECIPE, build.requirements),
    ],
    `pip cannot download ${build.wheel}`,
  );
  run(
    tools.python,
    [path.join(RECIPE, 'unpack-wheels.py'), wheels, path.join(STAGING, PACKAGE, 'deps')],
    'the wheels cannot be unpacked',
  );
  fs.rmSync(wheels, { recursive: true });
}

function compile() {
  const gyp = path.join(path.dirname(tools.npm), '..', 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  if (!fs.existsSync(gyp)) giveUp(`npm at ${tools.npm} brings no node-gyp; use the npm that comes with Node`);
  const folder = path.join(STAGING, PACKAGE);
  // What node-pre-gyp, which the package is loaded through, would pass: N-API 8
  // is in every Node that we support.
  const variables = [
    '-Dnapi_build_version=8',
    '-Dmodule_name=tfjs_binding',
    `-Dmodule_path=${path.join(folder, 'lib', 'napi-v8')}`,
  ];
  run(
    process.execPath,
    [gyp, 'rebuild', `--nodedir=${tools.nodedir}`, '--', ...variables],
    'the addon cannot be compiled',
    folder,
  );
  fs.rmSync(path.join(folder, 'build'), { recursive: true });
}

/** A convolution through the addon, in a process of its own: what it found, or what went wrong. */
function tryAddon(folder) {
  const script = `
    require('node:util').isNullOrUndefined ??= (value) => value == null;
    const tf = require('@tensorflow/tfjs-node-gpu');
    const [corner] = tf.conv2d(tf.ones([1, 4, 4, 1]), tf.ones([3, 3, 1, 1]), 1, 'same').dataSync();
    if (corner !== 4) throw new Error('a convolution gave ' + corner + ' where it should give 4');
    const { binding, isUsingGpuDevice } = tf.backend();
    console.log(JSON.stringify({ version: binding.TF_Version, gpu: isUsingGpuDevice }));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
    cwd: folder,
    encoding: 'utf8',
    env: { TF_CPP_MIN_LOG_LEVEL: '2', ...process.env },
  });
  return status === 0 ? JSON.parse(stdout.trim().split('\n').at(-1)) : { problem: stderr };
}

function isSetUp() {
  const file = path.join(TARGET, 'setup.json');
  return fs.existsSync(file) && fs.readFileSync(file, 'utf8') === record && !tryAddon(TARGET).problem;
}

function findOnPath(program) {
  const folder = (process.env.PATH ?? '')
    .split(path.delimiter)
    .find((entry) => fs.existsSync(path.join(entry, program)));
  return folder ? path.join(folder, program) : giveUp(`${program} is not on PATH`);
}

function succeeds(program, args) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/** Shows what the program said only where it failed. */
function run(program, args, problem, cwd = STAGING) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status === 0) return;
  const said = `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n').slice(-12).join('\n');
  fs.rmSync(STAGING, { recursive: true, force: true });
  giveUp(`${problem}: ${error?.message ?? ''}\n${said}`);
}

function giveUp(message) {
  return fail(message, flags['if-possible'] ? 0 : 3);
}

function say(message) {
  process.stderr.write(`setup:tfjs: ${message}\n`);
}

function fail(message, code = 3) {
  say(code === 0 ? `left out: ${message}` : message);
  process.exit(code);
}
