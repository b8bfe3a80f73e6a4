import { once } from 'node:events';
import type { RunningCli } from '../support/cli.ts';
import { descendantsOf } from '../support/processes.ts';
import { isClip, nextRecord } from '../support/runs.ts';
import { describeCounts } from './count.ts';
import type { Trial } from './report.ts';
import { drain, EXIT_MS, stop, untilGone, type NamedTrial, type TrialContext } from './run-control.ts';
import { createSite, light, type Servers, type Site, type SiteSettings } from './site.ts';

/** SIGTERM once and twice, in states of the program that are not good, with sinks up, down and frozen. */
export const SIGNAL_TRIALS: readonly NamedTrial[] = (['up', 'down', 'frozen'] as const).map((sinks) => ({
  name: `SIGTERM once and twice, sinks ${sinks}`,
  run: (context) => matrix(context, sinks),
}));

type Sinks = 'up' | 'down' | 'frozen';

interface State {
  readonly name: string;
  /** With sinks that deliver, this state does not come about. */
  readonly needsBacklog?: boolean;
  readonly settings: (servers: Servers) => SiteSettings;
  /** Brings the running program into the state. */
  readonly enter: (run: RunningCli, servers: Servers) => Promise<unknown>;
}

const STATES: readonly State[] = [
  { name: 'all well', settings: (servers) => ({ more: light(servers) }), enter: () => Promise.resolve() },
  {
    name: 'the journal full',
    needsBacklog: true,
    settings: (servers) => ({ more: light(servers, 4), journal: { max_size: '128KiB' } }),
    enter: (run) => run.said('the journal is full'),
  },
  {
    name: 'the engine process stopped',
    settings: ({ cameras }) => ({ more: { streams: [{ id: 'camera-0', url: cameras[0]?.url }] } }),
    enter: stopEngines,
  },
  {
    name: 'a camera that sends nothing',
    settings: (servers) => ({
      more: { ...light(servers), streams: [{ id: 'camera-1', url: servers.cameras[1]?.url }] },
    }),
    enter: (_, servers) => {
      servers.cameras[1]?.faults.stall();
      return Promise.resolve();
    },
  },
  {
    name: 'a camera that nobody answers for',
    settings: (servers) => ({
      more: {
        ...light(servers),
        streams: [
          { id: 'camera-0', url: servers.cameras[0]?.url },
          { id: 'dead', url: 'rtsp://127.0.0.1:1/cam' },
        ],
      },
    }),
    enter: () => Promise.resolve(),
  },
];

const NOBODY = {
  kafka: { brokers: ['127.0.0.1:1'] },
  postgres: { url: 'postgres://postgres@127.0.0.1:1/postgres' },
};

interface Case {
  readonly state: State;
  readonly twice: boolean;
  readonly site: Site;
  readonly run: RunningCli;
}

/** All states at the same time: what is frozen is frozen for all of them. */
async function matrix({ servers }: TrialContext, sinks: Sinks): Promise<readonly Trial[]> {
  const states = STATES.filter(({ needsBacklog }) => sinks !== 'up' || needsBacklog !== true);
  const cases = await Promise.all(
    states.flatMap((state) => [false, true].map((twice) => startCase({ servers, sinks, state, twice }))),
  );
  try {
    await Promise.all(cases.map(({ run }) => nextRecord(run, isClip, 2)));
    if (sinks === 'frozen') for (const server of [servers.kafka, servers.postgres]) server.freeze();
    for (const { state, run } of cases) await state.enter(run, servers);
    const ends = await Promise.all(cases.map(end));
    thaw(servers);
    const trials: Trial[] = [];
    for (const [n, one] of cases.entries()) trials.push(await judge(one, sinks, ends[n]));
    return trials;
  } finally {
    thaw(servers);
  }
}

function thaw({ kafka, postgres, cameras }: Servers): void {
  kafka.thaw();
  postgres.thaw();
  cameras[1]?.faults.resume();
}

async function startCase(parts: {
  readonly servers: Servers;
  readonly sinks: Sinks;
  readonly state: State;
  readonly twice: boolean;
}): Promise<Case> {
  const { servers, sinks, state, twice } = parts;
  const settings = state.settings(servers);
  const site = await createSite(servers, settings);
  const started = sinks === 'down' ? await site.rewrite('down', { ...settings, ...NOBODY }) : site;
  return { state, twice, site, run: started.start() };
}

interface End {
  readonly code: number | null;
  readonly ms: number;
  readonly children: number;
}

async function end({ run, twice }: Case): Promise<End> {
  const family = await descendantsOf(run.child.pid ?? 0);
  if (twice) {
    run.child.kill('SIGTERM');
    // The second one comes while the first is being followed.
    await Promise.race([run.done, once(run.child.stderr!, 'data')]);
  }
  const { code, ms } = await stop(run, 'SIGTERM');
  return { code, ms, children: (await untilGone(family)).length };
}

async function judge({ state, twice, site }: Case, sinks: Sinks, ended: End | undefined): Promise<Trial> {
  const { code = null, ms = Infinity, children = NaN } = ended ?? {};
  const after = await drain(site);
  const counts = await site.count();
  // Twice: 0 where the first one had already ended it.
  const isExpected = code === 0 || (twice && code === 130);
  return {
    promised: twice
      ? 'a second SIGTERM ends the program at once, leaves no child and loses nothing'
      : 'SIGTERM ends the program within 15 s with exit 0, leaves no child and loses nothing',
    done: `sinks ${sinks}, ${state.name}: SIGTERM ${twice ? 'twice' : 'once'}, then a run with sinks up`,
    counted: `exit ${code} after ${ms} ms, children left ${children}, then ${after.code}; ${describeCounts(counts)}`,
    ok: isExpected && ms < EXIT_MS && children === 0 && after.code === 0 && counts.faults.length === 0,
  };
}

async function stopEngines(run: RunningCli): Promise<void> {
  for (const { pid, command } of await descendantsOf(run.child.pid ?? 0))
    if (command.includes('worker/entry')) process.kill(pid, 'SIGSTOP');
}
