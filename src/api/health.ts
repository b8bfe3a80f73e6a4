import { Problem } from './problem.ts';
import { jsonAnswer, objectOf, type Operation } from './operation.ts';
import type { RunView } from './run-view.ts';

/** The run, once its engine is warm; until then undefined. */
export type CurrentRun = () => RunView | undefined;

interface Check {
  readonly ok: boolean;
  readonly detail: string;
}

const STATUS = objectOf(
  {
    status: { type: 'string', enum: ['ok', 'starting', 'not ready'] },
    checks: {
      type: 'object',
      additionalProperties: objectOf({ ok: { type: 'boolean' }, detail: { type: 'string' } }),
    },
  },
  ['checks'],
);

/** Alive, started, ready: three questions of an orchestrator. None of them asks for a token. */
export function healthOperations(current: CurrentRun): readonly Operation[] {
  return [
    {
      ...{ method: 'GET', url: '/livez', tag: 'health' },
      summary: 'The process answers',
      answers: { 200: jsonAnswer('It does', STATUS) },
      handle: () => Promise.resolve({ status: 'ok' }),
    },
    {
      ...{ method: 'GET', url: '/startupz', tag: 'health' },
      summary: 'The model is loaded and warm',
      answers: { 200: jsonAnswer('It is', STATUS), 503: jsonAnswer('Not yet', STATUS) },
      handle: async (_, reply) => {
        if (current()) return { status: 'ok' };
        return reply.status(503).send({ status: 'starting' });
      },
    },
    {
      ...{ method: 'GET', url: '/readyz', tag: 'health' },
      summary: 'Clips are scored and their records have a place: a camera that is down changes nothing here',
      answers: { 200: jsonAnswer('Ready', STATUS), 503: jsonAnswer('Not ready; the checks say why', STATUS) },
      handle: async (_, reply) => {
        const checks = checksOf(current());
        if (Object.values(checks).every(({ ok }) => ok)) return { status: 'ok', checks };
        return reply.status(503).send({ status: 'not ready', checks });
      },
    },
  ];
}

/** @throws Problem 503 until the engine is warm */
export function readyRun(current: CurrentRun): RunView {
  const run = current();
  if (run) return run;
  throw new Problem(503, 'NOT_READY', 'the model is being loaded; ask again in a few seconds');
}

function checksOf(run: RunView | undefined): Readonly<Record<string, Check>> {
  if (!run) return { engine: { ok: false, detail: 'the model is being loaded' } };
  const { waitingAppends, undeliveredBytes } = run.journal.stats();
  const failed = run.journal.failed.aborted;
  return {
    engine: { ok: true, detail: `${run.engine.model.id} on ${run.engine.device}` },
    journal: {
      ok: !failed && waitingAppends === 0,
      detail: failed
        ? 'the journal has failed'
        : waitingAppends === 0
          ? `${undeliveredBytes} bytes wait for the sinks`
          : 'the journal is full: records wait for a sink to catch up or for disk space',
    },
  };
}
