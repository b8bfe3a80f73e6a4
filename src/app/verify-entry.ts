import { toActionstreamError } from '../core/errors.ts';
import { createEventServices } from './event-services.ts';
import type { VerifyReply, VerifyRequest } from './verify-process.ts';

// The program of the process that verify-process.ts starts: one verification in a small heap.
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    stop.abort();
  });
}
// Nobody is left to hear the answer.
process.once('disconnect', () => process.exit(1));
process.once('message', (request) => {
  void verify(request as VerifyRequest).then((reply) => process.send?.(reply, () => process.exit()));
});

async function verify({ env, places, range }: VerifyRequest): Promise<VerifyReply> {
  try {
    return { result: await createEventServices(env).verify(places, range, stop.signal) };
  } catch (error) {
    const { code, message } = toActionstreamError(error);
    return { error: { code, message } };
  }
}
