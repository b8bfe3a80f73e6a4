import { fork } from 'node:child_process';
import { ActionstreamError } from '../../core/errors.ts';
import type { Visit, VisitRequest } from './types.ts';

type Reply = { readonly answer: Visit } | { readonly error: string } | 'interrupted';

/**
 * Measures one network in a process of its own, so that its peak memory is its own; the process ends with the visit.
 * @throws ActionstreamError ENGINE_FAILED with what the process said; ABORTED
 */
export async function visitNetwork(
  request: VisitRequest,
  entryUrl: URL,
  signal: AbortSignal,
): Promise<Visit> {
  if (signal.aborted) throw interrupted();
  const child = fork(entryUrl, { execArgv: ['--expose-gc'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const stop = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  try {
    const reply = await new Promise<Reply>((resolve, reject) => {
      child.on('message', (message) => {
        resolve(message as Reply);
      });
      child.on('error', reject);
      child.on('exit', (code, killedBy) => {
        if (signal.aborted) resolve('interrupted');
        else resolve({ error: `the measuring process was ended by ${killedBy ?? `code ${String(code)}`}` });
      });
      child.send(request, (error) => {
        if (error) reject(error);
      });
    });
    if (reply === 'interrupted') throw interrupted();
    if ('answer' in reply) return reply.answer;
    const variant = request.network.variant ?? 'network';
    throw new ActionstreamError(
      'ENGINE_FAILED',
      `${variant}: ${reply.error}; where memory ran out, try fewer --frames, a smaller --size or --width`,
    );
  } finally {
    signal.removeEventListener('abort', stop);
    if (child.exitCode === null && child.signalCode === null) {
      await new Promise<void>((resolve) => {
        child.once('exit', () => {
          resolve();
        });
        child.kill('SIGKILL');
      });
    }
  }
}

function interrupted(): ActionstreamError {
  return new ActionstreamError('ABORTED', 'the report was interrupted');
}
