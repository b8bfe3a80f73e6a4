import { describe, expect, test } from 'vitest';
import { openDevice, type DeviceCandidate, type DeviceChoice } from '../../src/inference/engine-choice.ts';
import { createOnnxEngine } from '../../src/inference/engines/onnx/onnx-engine.ts';
import { createUntrainedModel } from '../../src/inference/weights/untrained-model.ts';

/** Where a machine has those devices and no others. */
function openOn(here: readonly string[], choice: DeviceChoice) {
  const candidate = (
    provider: DeviceCandidate<string>['provider'],
    gpu: boolean,
    auto = true,
  ): DeviceCandidate<string> => ({
    provider,
    gpu,
    auto,
    open: () =>
      here.includes(provider)
        ? Promise.resolve(provider)
        : Promise.reject(new Error(`${provider} is missing; get one`)),
  });
  const candidates = [
    candidate('cuda', true),
    candidate('webgpu', true, false),
    candidate('cpu', false),
    candidate('wasm', false),
  ];
  return openDevice(candidates, { engine: 'tfjs', ...choice });
}

describe('a device', () => {
  test.each<[string, string[], DeviceChoice, string]>([
    ['auto takes a GPU', ['cuda', 'cpu'], { provider: 'auto' }, 'cuda'],
    ['auto goes on without a GPU', ['cpu'], { provider: 'auto' }, 'cpu'],
    ['auto does not try what is only for those who name it', ['webgpu', 'cpu'], { provider: 'auto' }, 'cpu'],
    ['a named GPU is taken', ['cuda', 'webgpu', 'cpu'], { provider: 'webgpu' }, 'webgpu'],
    ['cpu looks for no GPU', ['cuda', 'cpu'], { provider: 'cpu' }, 'cpu'],
    ['cpu takes the next best that computes on one', ['cuda', 'wasm'], { provider: 'cpu' }, 'wasm'],
    [
      'a named GPU that is missing may be done without',
      ['cpu'],
      { provider: 'cuda', withoutGpu: 'cpu' },
      'cpu',
    ],
    ['a kind of CPU that is named is taken', ['cuda', 'cpu', 'wasm'], { provider: 'wasm' }, 'wasm'],
  ])('%s', async (_, here, choice, wanted) => {
    expect((await openOn(here, choice)).opened).toBe(wanted);
  });

  test('says why each one before it was passed over', async () => {
    const { notices } = await openOn(['wasm'], { provider: 'auto' });

    expect(notices).toEqual([
      'tfjs on cuda: cuda is missing; get one',
      'tfjs on cpu: cpu is missing; get one',
    ]);
  });

  test.each<[string, string[], DeviceChoice]>([
    ['a named GPU', ['cpu'], { provider: 'cuda' }],
    ['auto, where a GPU is demanded,', ['cpu'], { provider: 'auto', withoutGpu: 'fail' }],
  ])('%s that is missing stops the start with what to do', async (_, here, choice) => {
    await expect(openOn(here, choice)).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringMatching(/cuda is missing; get one.*--without-gpu cpu/) as string,
    });
  });
});

describe('a provider of another system', () => {
  const provider = process.platform === 'darwin' ? 'directml' : 'coreml';
  const model = createUntrainedModel({
    network: { variant: 's3d', frames: 2, height: 16, width: 16, classes: 2, widthMultiplier: 0.05 },
    seed: 1,
  });

  test('is refused by name', async () => {
    await expect(createOnnxEngine({ model, provider })).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringMatching(
        /onnx on (coreml: Core ML exists on macOS|directml: DirectML exists on Windows) only/,
      ) as string,
    });
  });

  // One that this machine has opens; the others say which library, driver or system is missing.
  test.each([
    ['cuda', /libonnxruntime_providers_shared.* missing in .*docs\/gpu\.md|no NVIDIA driver|exists on/],
    ['tensorrt', /providers_tensorrt.* missing in .*docs\/gpu\.md|no NVIDIA driver|exists on/],
    ['coreml', /Core ML exists on macOS only/],
    ['directml', /DirectML exists on Windows only/],
    ['webgpu', /no WebGPU adapter: no GPU with a Vulkan, Metal or Direct3D 12 driver/],
  ] as const)('%s: absent, it is refused with what is missing', async (named, missing) => {
    const opened = await createOnnxEngine({ model, provider: named }).then(
      async (engine) => {
        await engine[Symbol.asyncDispose]();
        return engine.info.device;
      },
      (error: unknown) => error,
    );

    if (typeof opened === 'string') expect(opened).toContain(named);
    else
      expect(opened).toMatchObject({
        code: 'ENGINE_UNAVAILABLE',
        message: expect.stringMatching(missing) as string,
      });
  });

  test('is done without where that is the choice: info and receipts say what computed', async () => {
    await using engine = await createOnnxEngine({ model, provider, withoutGpu: 'cpu' });

    const data = new Uint8Array(2 * 16 * 16 * 3);
    const clip = { clipId: 'a', frames: 2, height: 16, width: 16, data };
    const { compute } = await engine.infer(clip, { sampler: { kind: 'none' } });

    expect(engine.info.device).toBe('cpu');
    expect(engine.info.notices).toEqual([expect.stringContaining(`onnx on ${provider}: `)]);
    expect(compute.device).toBe('cpu');
  });
});
