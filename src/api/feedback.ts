import { z } from 'zod';
import { findEvent } from '../sink/query.ts';
import { readyRun, type CurrentRun } from './health.ts';
import { EPISODE } from './media.ts';
import { jsonAnswer, objectOf, parametersOf, problemAnswer, type Operation } from './operation.ts';
import { Problem } from './problem.ts';

const VERDICT = {
  type: 'string',
  enum: ['right', 'wrong', 'other'],
  description: 'wrong: nothing of the kind happened. other: something else did',
};
const LABEL = { type: 'string', description: 'What it was instead; of `other` only' };

export const FEEDBACK = objectOf(
  {
    verdict: VERDICT,
    label: LABEL,
    at: { type: 'string', format: 'date-time' },
    by: { type: 'string', description: 'Name or role of the token; `anyone` where none is asked for' },
  },
  ['label'],
);

// In a list of labelled clips a bar separates labels.
const label = z
  .string()
  .trim()
  .regex(/^[^\0|\r\n]{1,128}$/u, { error: 'expected the name of a label, at most 128 characters' });
const GIVEN = z.union(
  [
    z.strictObject({ verdict: z.enum(['right', 'wrong']) }),
    z.strictObject({ verdict: z.literal('other'), label }),
  ],
  { error: 'expected {"verdict": "right"}, {"verdict": "wrong"} or {"verdict": "other", "label": "fall"}' },
);

/** What people say of an episode. Each word is kept; the last one counts. */
export function feedbackOperation(current: CurrentRun): Operation {
  return {
    ...{ method: 'POST', url: '/api/v1/events/:episode_id/feedback', tag: 'history', role: 'admin' },
    summary: 'Says whether an episode is right, wrong or another label; the last word counts',
    params: EPISODE,
    body: objectOf({ verdict: VERDICT, label: LABEL }, ['label']),
    answers: {
      201: jsonAnswer('What was kept', FEEDBACK),
      404: problemAnswer('No such episode'),
    },
    handle: async ({ params, body }, reply, caller) => {
      const { episode_id: episodeId } = parametersOf(EPISODE, params);
      const given = parametersOf(GIVEN, body);
      const { history, giveFeedback } = readyRun(current);
      if (!history || !giveFeedback)
        throw new Problem(503, 'NOT_READY', 'feedback needs a database; set sinks.postgres');
      const event = await findEvent(await history(), episodeId);
      if (!event) throw new Problem(404, 'NOT_FOUND', `no episode has the id ${episodeId}`);
      if (given.verdict === 'other' && given.label === event.label)
        throw new Problem(400, 'BAD_REQUEST', `${event.label} is its label already: say right`);
      return reply.status(201).send(await giveFeedback({ ...given, episodeId, by: caller }));
    },
  };
}
