import { ActionstreamError } from '../../core/errors.ts';
import { askProcess } from '../../app/ask-process.ts';
import type { Visit, VisitRequest } from './types.ts';

type Reply = { readonly answer: Visit } | { readonly error: string };

/**
 * Measures one network in a process of its own, so that its peak memory is its
 * own; the process ends with the visit.
 * @throws ActionstreamError ENGINE_FAILED with what the process said; ABORTED
 */
export async function visitNetwork(
  request: VisitRequest,
  entryUrl: URL,
  signal: AbortSignal,
): Promise<Visit> {
  const found = await askProcess<Reply>({ entryUrl, execArgv: ['--expose-gc'], request }, signal);
  if (signal.aborted) throw new ActionstreamError('ABORTED', 'the report was interrupted');
  const reply =
    'reply' in found ? found.reply : { error: `the measuring process was ended by ${found.ended}` };
  if ('answer' in reply) return reply.answer;
  const variant = request.network.variant ?? 'network';
  throw new ActionstreamError(
    'ENGINE_FAILED',
    `${variant}: ${reply.error}; where memory ran out, try fewer --frames, a smaller --size or --width`,
  );
}
