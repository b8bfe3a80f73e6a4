import { Option, type Command } from 'commander';
import { ActionstreamError } from '../core/errors.ts';
import { isVariantName } from '../inference/network/variants.ts';
import type { CliIo } from './io.ts';
import type { EngineFlags, NetworkFlags, SamplerFlags } from '../app/model-choice.ts';
import {
  addEngineFlags,
  addNetworkFlags,
  addSamplerFlags,
  positiveInteger,
  positiveNumber,
  wholeNumber,
} from './options.ts';
import { createRunDisplay } from './run-display.ts';
import { addLoginFlags, readLogin, type LoginFlags } from './source-login.ts';
import { addTrustFlags, type TrustFlags } from './source-trust-flags.ts';

interface RunFlags extends NetworkFlags, SamplerFlags, EngineFlags, LoginFlags, TrustFlags {
  readonly source: readonly string[];
  readonly model?: string;
  readonly seed?: number;
  readonly fps?: number;
  readonly clipStride?: number;
  readonly realtime?: true;
  readonly journal?: string;
  readonly kafka?: string;
  readonly postgres?: string;
  readonly instance?: string;
  readonly logLevel?: string;
  readonly json?: true;
}

/** `run`: streams to events until the sources end or a signal comes. */
export function addRunCommand(program: Command, io: CliIo): void {
  const command = program
    .command('run [config.yaml]')
    .description('turn streams into action events; runs until its sources end or it is stopped')
    .option('--source <url>', 'camera or file; may be given several times', collect, [])
    .option('--model <path|name>', 'model folder, manifest or .safetensors; or a network name (untrained)')
    .option('--seed <n>', 'seed of an untrained network', wholeNumber)
    .option('--fps <r>', "frames a second (default: the model's)", positiveNumber)
    .option('--clip-stride <n>', "frames between clip starts (default: the model's)", positiveInteger)
    .option('--realtime', 'files no faster than they were filmed, as if they were cameras')
    .option('--journal <dir>', 'folder of the durable journal')
    .option('--kafka <brokers>', 'deliver to Kafka: host:port, comma separated')
    .option('--postgres <url>', 'deliver to Postgres')
    .option('--instance <name>', 'name of this program in events')
    .addOption(
      new Option('--log-level <level>', 'least level logged').choices(['debug', 'info', 'warn', 'error']),
    )
    .option('--json', 'records as NDJSON on standard output');
  addTrustFlags(addLoginFlags(command));
  addSamplerFlags(addNetworkFlags(addEngineFlags(command))).action(
    (configPath: string | undefined, flags: RunFlags) => runStreams(configPath, flags, io),
  );
}

async function runStreams(configPath: string | undefined, flags: RunFlags, io: CliIo): Promise<void> {
  if (configPath === undefined && flags.source.length === 0) {
    throw new ActionstreamError('USAGE', 'name a configuration file, or a camera or video with --source');
  }
  const login = await readLogin(flags, io);
  const display = createRunDisplay(io);
  const request = {
    sources: flags.source,
    login,
    flags: settingsOf(flags),
    ...(configPath !== undefined && { configPath }),
  };
  const { run } = await import('../app/run.ts');
  const report = await run(request, display, io);
  display.finish(report);
  const failed = report.outcomes.filter(({ reason }) => reason === 'failed');
  if (failed.length > 0) io.setExitCode(failed[0]?.error?.exitCode ?? 1);
  else if (Object.values(report.unreadable).some((count) => count > 0)) io.setExitCode(1);
  else if (!io.signal.aborted && Object.values(report.undelivered).some((count) => count > 0))
    io.setExitCode(3);
}

/** The flags in the shape of the configuration file; keys that were not given are undefined. */
function settingsOf(flags: RunFlags): object {
  const network = flags.model !== undefined && isVariantName(flags.model);
  const trust = [flags.caFile, flags.serverName, flags.insecure].some((flag) => flag !== undefined);
  return {
    instance: flags.instance,
    model: {
      path: network ? undefined : flags.model,
      network: network ? flags.model : undefined,
      seed: flags.seed,
      frames: flags.frames,
      size: flags.size,
      classes: flags.classes,
      width: flags.width,
      padding: flags.padding,
      stem: flags.stem,
      input: flags.input,
      gate_bias: flags.gateBias === false ? false : undefined,
    },
    sampler: {
      kind: flags.sampler,
      after: flags.sgsAfter,
      embedding_size: flags.sgsSize,
      width: flags.delta,
      noise_floor: flags.noiseFloor,
      anchor: flags.anchor,
      representative: flags.representative,
      min_steps: flags.minSteps,
      temporal_edge: flags.temporalEdge,
      time_means: flags.timeMeans,
      similarity: flags.similarity,
      stride: flags.stride,
      bins: flags.bins,
      kernel: flags.kernel,
      distance: flags.distance,
    },
    engine: {
      kind: flags.engine,
      provider: flags.provider,
      without_gpu: flags.withoutGpu,
      threads: flags.threads,
      reuse: flags.reuse === false ? false : undefined,
    },
    defaults: {
      realtime: flags.realtime,
      ...(trust && {
        tls: { ca_file: flags.caFile, server_name: flags.serverName, insecure: flags.insecure },
      }),
      window: { fps: flags.fps, stride: flags.clipStride },
    },
    journal: { dir: flags.journal },
    sinks: {
      kafka: flags.kafka === undefined ? undefined : { brokers: flags.kafka.split(','), create_topics: {} },
      postgres: flags.postgres === undefined ? undefined : { url: flags.postgres },
      ndjson: flags.json ? { path: '-' } : undefined,
    },
    log: { level: flags.logLevel },
  };
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
