import { CONTENT_TYPE } from '../metrics/registry.ts';
import { readyRun, type CurrentRun } from './health.ts';
import { jsonAnswer, listOf, objectOf, type Operation } from './operation.ts';

const TEXT = { type: 'string' };

/** The program itself: version, model, settings, metrics. */
export function systemOperations(current: CurrentRun, version: string): readonly Operation[] {
  return [
    {
      ...{ method: 'GET', url: '/version', tag: 'system' },
      summary: 'Version of the program',
      answers: { 200: jsonAnswer('The version', objectOf({ name: TEXT, version: TEXT })) },
      handle: () => Promise.resolve({ name: 'actionstream', version }),
    },
    {
      ...{ method: 'GET', url: '/metrics', tag: 'system', role: 'read' },
      summary: 'Metrics in Prometheus’ text format; docs/metrics.md lists them',
      answers: { 200: { description: 'The metrics', content: { 'text/plain': { schema: TEXT } } } },
      handle: async (_, reply) => reply.type(CONTENT_TYPE).send(await readyRun(current).metrics()),
    },
    {
      ...{ method: 'GET', url: '/api/v1/models', tag: 'system', role: 'read' },
      summary: 'The models that run, with their labels',
      answers: {
        200: jsonAnswer(
          'The models',
          objectOf({
            models: listOf(
              objectOf(
                {
                  ...{ id: TEXT, version: TEXT, digest: TEXT, engine: TEXT, device: TEXT },
                  labels: listOf(TEXT),
                  background: TEXT,
                  clip: objectOf({
                    frames: { type: 'integer' },
                    fps: { type: 'number' },
                    stride: { type: 'integer' },
                  }),
                },
                ['background'],
              ),
            ),
          }),
        ),
      },
      handle: () => {
        const { engine } = readyRun(current);
        const { model, labels, backgroundId, clip, frames, device } = engine;
        const background = backgroundId === undefined ? undefined : labels[backgroundId];
        const shown = { ...model, engine: engine.engine, device, labels, clip: { frames, ...clip } };
        return Promise.resolve({ models: [{ ...shown, ...(background !== undefined && { background }) }] });
      },
    },
    {
      ...{ method: 'GET', url: '/api/v1/config', tag: 'system', role: 'admin' },
      summary: 'Every setting with its effective value and where that came from; secrets are hidden',
      answers: {
        200: jsonAnswer(
          'The settings',
          objectOf({ settings: listOf(objectOf({ key: TEXT, value: {}, origin: TEXT })) }),
        ),
      },
      handle: () => {
        const { settings } = readyRun(current);
        return Promise.resolve({
          settings: settings.map(({ key, value, origin }) => ({ key, value, origin })),
        });
      },
    },
  ];
}
