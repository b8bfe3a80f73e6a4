import { describe, expect, it } from 'vitest';
import { createEngine } from '../../src/inference/create-engine.ts';
import type { EngineCore } from '../../src/inference/engine-core.ts';
import type { InferenceResult } from '../../src/inference/engine.ts';
import { clipOf, model, sampler } from './scheduler/small-clips.ts';
import { createNullEngine } from '../support/own-engines.ts';

const { info } = createNullEngine(model);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A core that notes when a batch starts, and ends it when told to or aborted. */
function controlledCore(log: string[]) {
  let end = (): void => undefined;
  let running: Promise<void> = Promise.resolve();
  const core: EngineCore = {
    info,
    run: (batch) => {
      const names = batch.map(({ clip }) => clip.clipId).join(' ');
      log.push(`${names} starts`);
      running = new Promise<void>((resolve) => {
        end = resolve;
        for (const { signal } of batch) {
          signal.addEventListener('abort', () => {
            resolve();
          });
        }
      }).then(() => {
        const aborted = batch.some(({ signal }) => signal.aborted);
        log.push(`${names} ends${aborted ? ' aborted' : ''}`);
        for (const { clip, signal, resolve, reject } of batch) {
          if (signal.aborted || clip.clipId === 'broken') reject(new Error('broken'));
          else resolve({ clipId: clip.clipId } as InferenceResult);
        }
      });
      return running;
    },
    closeStream: (id) => log.push(`${id} closed`),
    forgetMaps: (id) => log.push(`${id} forgotten`),
    release: async () => {
      await running;
      log.push('released');
    },
  };
  return {
    core,
    end: () => {
      end();
    },
  };
}

describe('the front of an engine', () => {
  it('runs one batch at a time, in order; a stream is closed between two', async () => {
    const log: string[] = [];
    const { core, end } = controlledCore(log);
    const engine = createEngine(core, 'engine');
    const a = engine.inferBatch(['a1', 'a2'].map((id) => ({ clip: clipOf(id), sampler })));
    engine.closeStream?.('camera');
    const b = engine.infer(clipOf('b'), { sampler });
    await turn();
    expect(log).toEqual(['a1 a2 starts']);

    end();
    await turn();
    end();

    expect((await Promise.all([...a, b])).map(({ clipId }) => clipId)).toEqual(['a1', 'a2', 'b']);
    expect(log).toEqual(['a1 a2 starts', 'a1 a2 ends', 'camera closed', 'b starts', 'b ends']);
  });

  it('continues after a batch that failed', async () => {
    const { core, end } = controlledCore([]);
    const engine = createEngine(core, 'engine');
    const failing = engine.infer(clipOf('broken'), { sampler });
    const next = engine.infer(clipOf('fine'), { sampler });
    await turn();
    end();
    await expect(failing).rejects.toThrow('broken');
    await turn();
    end();

    expect((await next).clipId).toBe('fine');
  });

  it('never starts a waiting clip whose caller gave up, and says so at once', async () => {
    const log: string[] = [];
    const { core, end } = controlledCore(log);
    const engine = createEngine(core, 'engine');
    const abort = new AbortController();
    const first = engine.infer(clipOf('a'), { sampler });
    const second = engine.infer(clipOf('b'), { sampler, signal: abort.signal });
    abort.abort();

    await expect(second).rejects.toMatchObject({ code: 'ABORTED' });
    await turn();
    end();

    expect((await first).clipId).toBe('a');
    expect(log).not.toContain('b starts');
  });

  it('is disposed of when the running batch has seen the abort; the waiting and the late are refused', async () => {
    const log: string[] = [];
    const engine = createEngine(controlledCore(log).core, 'engine');
    const results = Promise.allSettled(['a', 'b'].map((id) => engine.infer(clipOf(id), { sampler })));
    await turn();

    await Promise.all([engine[Symbol.asyncDispose](), engine[Symbol.asyncDispose]()]);

    expect(log).toEqual(['a starts', 'a ends aborted', 'released']);
    expect((await results)[1]).toMatchObject({ status: 'rejected', reason: { code: 'ABORTED' } });
    await expect(engine.infer(clipOf('b'), { sampler })).rejects.toThrow(/engine has been disposed of/);
  });

  it("leaves no listener on the caller's signal", async () => {
    await using engine = createNullEngine(model);
    const { signal } = new AbortController();
    let listeners = 0;
    const counted = new Proxy(signal, {
      get(target, key) {
        if (key === 'addEventListener') listeners++;
        if (key === 'removeEventListener') listeners--;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });

    for (let n = 0; n < 20; n++) await engine.infer(clipOf(`clip-${n}`), { sampler, signal: counted });
    await expect(
      engine.infer({ ...clipOf('wrong'), frames: 3 }, { sampler, signal: counted }),
    ).rejects.toMatchObject({ code: 'INPUT_INVALID' });

    expect(listeners).toBe(0);
  });
});
