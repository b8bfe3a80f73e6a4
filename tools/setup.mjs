// Prepares a fresh clone for `npm run demo` and `npm test`. Plain Node without dependencies: it runs
// before `npm ci`. Packages come from the npm registry; programs that npm cannot bring come from the
// system's package manager, installed where that needs no password, else named with the command to type.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const EXIT_DEPENDENCY = 3;

/** name of the program: [why, packages by manager] */
const PROGRAMS = {
  ffmpeg: ['decodes video', { apt: 'ffmpeg', dnf: 'ffmpeg-free', apk: 'ffmpeg', brew: 'ffmpeg' }],
  java: [
    'runs the local Kafka broker (17 or newer)',
    {
      apt: 'openjdk-17-jre-headless',
      dnf: 'java-21-openjdk-headless',
      apk: 'openjdk17-jre-headless',
      brew: 'openjdk',
    },
  ],
  mvn: ["fetches the local Kafka broker's jars", { apt: 'maven', dnf: 'maven', apk: 'maven', brew: 'maven' }],
  kcat: [
    'reads events from Kafka as a stranger would',
    { apt: 'kcat', dnf: 'kcat', apk: 'kcat', brew: 'kcat' },
  ],
  pgbouncer: [
    'stands between the program and Postgres, as in many installations',
    { apt: 'pgbouncer', dnf: 'pgbouncer', apk: 'pgbouncer', brew: 'pgbouncer' },
  ],
  chromium: [
    'opens the dashboard as a reader would',
    { apt: 'chromium', dnf: 'chromium', apk: 'chromium', brew: 'chromium' },
  ],
  psql: [
    'queries Postgres as a stranger would',
    { apt: 'postgresql-client', dnf: 'postgresql', apk: 'postgresql-client', brew: 'libpq' },
  ],
  promtool: [
    'checks metrics, alert rules and the queries of the dashboard',
    { apt: 'prometheus', dnf: 'golang-github-prometheus', apk: 'prometheus', brew: 'prometheus' },
  ],
};

/** Chromium under the names that systems give it; test/support/browser.ts looks for the same. */
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

const PROFILES = {
  demo: { required: ['ffmpeg'], optional: ['java', 'mvn'] },
  test: {
    required: ['ffmpeg', 'java', 'mvn', 'kcat', 'pgbouncer', 'psql', 'promtool', 'chromium'],
    optional: [],
  },
};

const MANAGERS = {
  apt: {
    program: 'apt-get',
    install: (packages) => ['apt-get', 'install', '-y', '--no-install-recommends', ...packages],
  },
  dnf: { program: 'dnf', install: (packages) => ['dnf', 'install', '-y', ...packages] },
  apk: { program: 'apk', install: (packages) => ['apk', 'add', ...packages] },
  brew: { program: 'brew', install: (packages) => ['brew', 'install', ...packages] },
};

const profile = PROFILES[process.argv[2]];
if (!profile) fail(`usage: node tools/setup.mjs ${Object.keys(PROFILES).join('|')}`, 2);
checkNode();
installPackages();
installPrograms();
build();

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(
      `actionstream needs Node 20.19 or newer; this is ${process.version}. Install it from your package manager or nodejs.org.`,
    );
  }
}

function installPackages() {
  const installed = path.join(ROOT, 'node_modules', '.package-lock.json');
  const wanted = path.join(ROOT, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return;
  say('installing npm packages (npm ci)');
  run(['npm', 'ci', '--ignore-scripts=false'], 'npm ci failed: see its message above');
}

function installPrograms() {
  const missing = profile.required.filter((program) => !isThere(program));
  const wished = profile.optional.filter((program) => !isThere(program));
  if (missing.length > 0) installWithManager(missing);
  for (const program of wished)
    say(`${program} is not installed (it ${PROGRAMS[program][0]}); going on without`);
}

function installWithManager(missing) {
  for (const program of missing) say(`${program} is missing: it ${PROGRAMS[program][0]}`);
  const name = Object.keys(MANAGERS).find((key) => find(MANAGERS[key].program));
  if (!name) fail(`install ${missing.join(', ')} with your system's package manager, then run this again`);
  const command = MANAGERS[name].install(missing.map((program) => PROGRAMS[program][1][name]));
  const prefix = name === 'brew' || process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (prefix.length > 0 && spawnSync('sudo', ['-n', 'true']).status !== 0) {
    fail(`run this, then try again:\n  sudo ${command.join(' ')}`);
  }
  say(`installing with: ${[...prefix, ...command].join(' ')}`);
  if (name === 'apt')
    run([...prefix, 'apt-get', 'update', '-qq'], 'apt-get update failed: see its message above');
  run([...prefix, ...command], `could not install ${missing.join(', ')}: see the message above`, {
    DEBIAN_FRONTEND: 'noninteractive',
  });
  const absent = missing.filter((program) => !isThere(program));
  if (absent.length > 0)
    fail(`${absent.join(', ')} still missing after the installation; install by hand and try again`);
}

function build() {
  say('building');
  run(['npm', 'run', '--silent', 'build'], 'the build failed: see the compiler messages above');
}

function isThere(program) {
  if (program === 'ffmpeg' && process.env.FFMPEG_PATH) return existsSync(process.env.FFMPEG_PATH);
  if (program === 'chromium') return Boolean(process.env.CHROMIUM_PATH) || BROWSERS.some(find);
  if (program !== 'java') return find(program);
  const java = process.env.JAVA_HOME ? path.join(process.env.JAVA_HOME, 'bin', 'java') : 'java';
  const { stderr } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  return Number(/version "(\d+)/.exec(stderr ?? '')?.[1] ?? 0) >= 17;
}

function find(program) {
  // Servers live in sbin, which not every user's PATH names.
  return [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin'].some((folder) =>
    existsSync(path.join(folder, program)),
  );
}

function run(command, remedy, env = {}) {
  const { status } = spawnSync(command[0], command.slice(1), {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', ...env },
  });
  if (status !== 0) fail(remedy);
}

function say(message) {
  process.stderr.write(`setup: ${message}\n`);
}

function fail(message, code = EXIT_DEPENDENCY) {
  process.stderr.write(`setup: ${message}\n`);
  process.exit(code);
}
