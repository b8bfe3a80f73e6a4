import { describe, expect, it } from 'vitest';
import { createSerialQueue } from '../../src/inference/serial-queue.ts';

/** A task that tells when it started and ends when told to or aborted. */
function controlledTask(name: string, log: string[]) {
  let end = (): void => undefined;
  const task = async (signal: AbortSignal): Promise<string> => {
    log.push(`${name} starts`);
    await new Promise<void>((resolve) => {
      end = resolve;
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    log.push(`${name} ends${signal.aborted ? ' aborted' : ''}`);
    return name;
  };
  return {
    task,
    end: () => {
      end();
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('serial queue', () => {
  it('runs one task at a time, in order', async () => {
    const log: string[] = [];
    const queue = createSerialQueue('engine');
    const [a, b] = [controlledTask('a', log), controlledTask('b', log)];
    const results = Promise.all([queue.run(a.task), queue.run(b.task)]);
    await turn();
    expect(log).toEqual(['a starts']);

    a.end();
    await turn();
    b.end();

    expect(await results).toEqual(['a', 'b']);
    expect(log).toEqual(['a starts', 'a ends', 'b starts', 'b ends']);
  });

  it('goes on after a task that failed', async () => {
    const queue = createSerialQueue('engine');
    const failing = queue.run(() => Promise.reject(new Error('broken')));
    const next = queue.run(() => Promise.resolve('fine'));

    await expect(failing).rejects.toThrow('broken');
    expect(await next).toBe('fine');
  });

  it('never starts a waiting task whose caller gave up', async () => {
    const log: string[] = [];
    const queue = createSerialQueue('engine');
    const [a, b] = [controlledTask('a', log), controlledTask('b', log)];
    const abort = new AbortController();
    const first = queue.run(a.task);
    const second = queue.run(b.task, abort.signal);
    abort.abort();
    await turn();
    a.end();

    expect(await first).toBe('a');
    await expect(second).rejects.toMatchObject({ code: 'ABORTED' });
    expect(log).not.toContain('b starts');
  });

  it('closes when the running task has seen the abort; the waiting and the late are refused', async () => {
    const log: string[] = [];
    const queue = createSerialQueue('engine');
    const [a, b] = [controlledTask('a', log), controlledTask('b', log)];
    const results = Promise.allSettled([queue.run(a.task), queue.run(b.task)]);
    await turn();

    await Promise.all([queue.close(), queue.close()]);

    expect(log).toEqual(['a starts', 'a ends aborted']);
    expect((await results)[1]).toMatchObject({ status: 'rejected', reason: { code: 'ABORTED' } });
    await expect(queue.run(b.task)).rejects.toThrow(/engine has been disposed of/);
  });

  it("leaves no listener on the caller's signal", async () => {
    const queue = createSerialQueue('engine');
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

    for (let i = 0; i < 20; i++) await queue.run(() => Promise.resolve(i), counted);

    expect(listeners).toBe(0);
  });
});
