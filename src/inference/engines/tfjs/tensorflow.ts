import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { env } from 'node:process';
import util from 'node:util';
import type * as TensorFlowCore from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { messageOf } from '../../../core/errors.ts';
import {
  openDevice,
  type DeviceCandidate,
  type DeviceChoice,
  type OpenedDevice,
} from '../../engine-choice.ts';

// The one file that knows TensorFlow's packages.
export type TensorLibrary = typeof TensorFlowCore;
export type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D, Tensor5D } from '@tensorflow/tfjs-core';

/** A TensorFlow library with its backend chosen. */
export interface TensorFlow {
  readonly tf: TensorLibrary;
  /** For receipts: cuda:0, cpu, wasm, js. */
  readonly device: string;
}

export interface TensorFlowOptions extends DeviceChoice {
  /** CPU threads of one operation, native code only; fixed by the first engine of a process. */
  readonly threads?: number;
}

/** Where `npm run setup:tfjs` puts the native package: outside node_modules, so that `npm ci` leaves it. */
const SETUP_FOLDER = path.join(import.meta.dirname, '..', '..', '..', '..', '.cache', 'tfjs');

/** In the order of choice: the same binding, the first one named for a GPU. */
const NATIVE_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/**
 * TensorFlow as fast as this machine has it: native on a GPU, native on the CPU, WebAssembly, plain
 * JavaScript. One backend at a time in a process.
 * @throws ActionstreamError ENGINE_UNAVAILABLE where nothing that the choice allows can be loaded
 */
export function openTensorFlow({ threads, ...choice }: TensorFlowOptions): Promise<OpenedDevice<TensorFlow>> {
  const candidates: readonly DeviceCandidate<TensorFlow>[] = [
    { provider: 'cuda', gpu: true, auto: true, open: () => openNative({ gpu: true, threads }) },
    { provider: 'cpu', gpu: false, auto: true, open: () => openNative({ gpu: false, threads }) },
    { provider: 'wasm', gpu: false, auto: true, open: () => openPure('wasm') },
    { provider: 'js', gpu: false, auto: true, open: () => openPure('cpu') },
  ];
  return openDevice(candidates, { engine: 'tfjs', ...choice });
}

interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
}

async function openNative({
  gpu,
  threads,
}: {
  gpu: boolean;
  threads: number | undefined;
}): Promise<TensorFlow> {
  prepareEnvironment(gpu, threads);
  const tf = loadNative();
  await tf.ready();
  tf.enableProdMode();
  // A library that loads may still miss what an operation needs.
  tf.tidy(() => {
    const frame: Tensor4D = tf.ones([1, 4, 4, 1]);
    const filter: Tensor4D = tf.ones([3, 3, 1, 1]);
    tf.conv2d(frame, filter, 1, 'same').dataSync();
  });
  const { isUsingGpuDevice } = tf.backend() as unknown as NativeBackend;
  if (gpu && !isUsingGpuDevice) throw new Error(whyNoGpu());
  if (!gpu && isUsingGpuDevice) throw new Error('TensorFlow is using the GPU in this process already');
  return { tf, device: gpu ? 'cuda:0' : 'cpu' };
}

async function openPure(backend: 'wasm' | 'cpu'): Promise<TensorFlow> {
  const tf = await import('@tensorflow/tfjs-core');
  tf.enableProdMode();
  if (backend === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
  else await import('@tensorflow/tfjs-backend-cpu');
  if (!(await tf.setBackend(backend)))
    throw new Error(`TensorFlow.js has no backend ${backend} on this machine`);
  return { tf, device: backend === 'cpu' ? 'js' : backend };
}

/** TensorFlow reads these once, when it is loaded; what the user has set stays. */
function prepareEnvironment(gpu: boolean, threads: number | undefined): void {
  const wanted = {
    TF_CPP_MIN_LOG_LEVEL: '2',
    // A third faster on a CPU.
    TF_ENABLE_ONEDNN_OPTS: '1',
    // The same clip gives the same bits, and the bits of a float32 engine: no TF32.
    TF_CUDNN_DETERMINISTIC: '1',
    NVIDIA_TF32_OVERRIDE: '0',
    // Not all of a GPU's memory at once.
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    ...(!gpu && { CUDA_VISIBLE_DEVICES: '-1' }),
    ...(threads !== undefined && { TF_NUM_INTRAOP_THREADS: String(threads) }),
  };
  for (const [name, value] of Object.entries(wanted)) env[name] ??= value;
  // tfjs-node 4.22 calls this for every operation; Node 23 took it away.
  (util as { isNullOrUndefined?: unknown }).isNullOrUndefined ??= (value: unknown) =>
    value === null || value === undefined;
}

/** @throws Error naming, for each package, why it cannot be used */
function loadNative(): TensorLibrary {
  const problems: string[] = [];
  for (const folder of [SETUP_FOLDER, import.meta.dirname]) {
    const require = createRequire(path.join(folder, 'package.json'));
    for (const name of NATIVE_PACKAGES) {
      try {
        return require(name) as TensorLibrary;
      } catch (error) {
        const [problem = ''] = messageOf(error).split('\n');
        if (!problem.startsWith(`Cannot find module '${name}'`)) problems.push(`${name}: ${problem.trim()}`);
      }
    }
  }
  if (problems.length > 0) throw new Error(`${problems.join('; ')}; npm run setup:tfjs builds it anew`);
  throw new Error(
    'neither @tensorflow/tfjs-node-gpu nor @tensorflow/tfjs-node is here; npm run setup:tfjs builds the first',
  );
}

function whyNoGpu(): string {
  const record = path.join(SETUP_FOLDER, 'setup.json');
  if (existsSync(record)) {
    const { wheel } = JSON.parse(readFileSync(record, 'utf8')) as { readonly wheel?: string };
    if (wheel?.startsWith('tensorflow-cpu')) {
      return `the addon is built against ${wheel}, which has no GPU code; npm run setup:tfjs -- --gpu builds it with`;
    }
  }
  if (!existsSync('/proc/driver/nvidia/version'))
    return 'no NVIDIA driver is loaded; install it, or choose another provider';
  return 'TensorFlow finds no GPU: a CUDA or cuDNN library is missing; TF_CPP_MIN_LOG_LEVEL=0 in the environment shows which';
}
