import { toActionstreamError } from '../core/errors.ts';
import { verifyHere, type VerifyReply, type VerifyRequest } from './verify.ts';

// The program of the process that verify.ts starts: one verification in a small heap.
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

async function verify(request: VerifyRequest): Promise<VerifyReply> {
  try {
    return { result: await verifyHere(request, stop.signal) };
  } catch (error) {
    const { code, message } = toActionstreamError(error);
    return { error: { code, message } };
  }
}
