import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { arch, env, platform } from 'node:process';
import type { InferenceSession } from 'onnxruntime-node';
import type { Provider } from '../../engine-choice.ts';

/** An execution provider of ONNX Runtime. */
export interface OnnxProvider {
  readonly provider: Provider;
  readonly gpu: boolean;
  /** Whether `auto` tries it here. */
  readonly auto: boolean;
  /** For receipts: cpu, cuda:0, … */
  readonly device: string;
  /** In order of preference; what none of them can compute, the CPU does. */
  readonly executionProviders: InferenceSession.SessionOptions['executionProviders'];
  /**
   * Looks for what the provider needs before the runtime does, whose own words name neither cause nor remedy.
   * @throws Error naming what is missing and what to do
   */
  prepare(): void;
}

export const CPU_PROVIDER: OnnxProvider = {
  provider: 'cpu',
  gpu: false,
  auto: true,
  device: 'cpu',
  executionProviders: ['cpu'],
  prepare: () => undefined,
};

/** Those that the package was built for, whether this machine has what they need or not. */
export const ONNX_PROVIDERS: readonly OnnxProvider[] = [
  {
    provider: 'cuda',
    gpu: true,
    auto: platform === 'linux' || platform === 'win32',
    device: 'cuda:0',
    executionProviders: [{ name: 'cuda', deviceId: 0 }],
    prepare: () => {
      prepareNvidia('cuda');
    },
  },
  {
    provider: 'tensorrt',
    gpu: true,
    auto: false,
    device: 'tensorrt:0',
    executionProviders: [
      { name: 'tensorrt', deviceId: 0 },
      { name: 'cuda', deviceId: 0 },
    ],
    prepare: () => {
      prepareNvidia('tensorrt');
    },
  },
  {
    provider: 'coreml',
    gpu: true,
    auto: platform === 'darwin',
    device: 'coreml',
    executionProviders: ['coreml'],
    prepare: () => {
      demandPlatform('Core ML', { darwin: 'macOS' });
    },
  },
  {
    provider: 'directml',
    gpu: true,
    auto: platform === 'win32',
    device: 'directml:0',
    executionProviders: [{ name: 'dml', deviceId: 0 }],
    prepare: () => {
      demandPlatform('DirectML', { win32: 'Windows' });
    },
  },
  {
    provider: 'webgpu',
    gpu: true,
    auto: false,
    device: 'webgpu',
    executionProviders: ['webgpu'],
    prepare: () => undefined,
  },
  {
    provider: 'cpu',
    gpu: false,
    auto: true,
    device: 'cpu',
    executionProviders: ['cpu'],
    prepare: () => undefined,
  },
];

/** Turns the runtime's refusal of a provider into what it means here. */
export function explainRefusal({ provider }: OnnxProvider, message: string): string {
  if (provider === 'webgpu' && message.includes('WebGPU adapter')) {
    return 'no WebGPU adapter: no GPU with a Vulkan, Metal or Direct3D 12 driver is here; install its driver, or choose another provider';
  }
  return message;
}

function prepareNvidia(provider: 'cuda' | 'tensorrt'): void {
  demandPlatform(provider === 'cuda' ? 'CUDA' : 'TensorRT', { linux: 'Linux', win32: 'Windows' }, 'x64');
  const folder = path.join(packageFolder(), 'bin', 'napi-v6', platform, arch);
  const names = ['shared', 'cuda', ...(provider === 'tensorrt' ? ['tensorrt'] : [])].map(libraryName);
  const missing = names.filter((name) => !existsSync(path.join(folder, name)));
  if (missing.length > 0) {
    throw new Error(`${missing.join(' and ')} missing in ${folder}: docs/gpu.md says where to get them`);
  }
  if (platform === 'linux' && !existsSync('/proc/driver/nvidia/version') && !existsSync('/dev/dxg')) {
    throw new Error('no NVIDIA driver is loaded; install it, or choose another provider');
  }
  // The bits of a float32 engine: no TF32.
  env['NVIDIA_TF32_OVERRIDE'] ??= '0';
}

function libraryName(provider: string): string {
  const name = `onnxruntime_providers_${provider}`;
  return platform === 'win32' ? `${name}.dll` : `lib${name}.so`;
}

function demandPlatform(
  name: string,
  platforms: Readonly<Partial<Record<NodeJS.Platform, string>>>,
  architecture = arch as string,
): void {
  if (platforms[platform] !== undefined && arch === architecture) return;
  const where = Object.values(platforms).join(' and ');
  throw new Error(
    `${name} exists on ${where} only${arch === architecture ? '' : `, on ${architecture}`}; choose another provider`,
  );
}

function packageFolder(): string {
  return path.dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
}
