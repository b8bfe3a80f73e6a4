import { useRef } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import { answerOf, api } from '../api/session.ts';
import { useAttempt } from '../api/use-attempt.ts';
import type { LiveStream } from '../live/live-stream.ts';
import { refresh } from '../live/store.ts';

/** Pauses, resumes and removes one stream while the others run on. */
export function StreamSteer({ stream }: { readonly stream: LiveStream }) {
  const [, go] = useLocation();
  const { attempt, isBusy, problem } = useAttempt();
  const question = useRef<HTMLDialogElement>(null);
  const params = { params: { path: { stream_id: stream.id } } };
  const isPaused = stream.view.value.state === 'paused';
  return (
    <>
      {problem !== undefined && (
        <p class="bad-text" role="alert">
          {problem}
        </p>
      )}
      <button
        type="button"
        disabled={isBusy}
        onClick={() => {
          const turn = isPaused ? 'resume' : 'pause';
          void attempt(async () => {
            await answerOf(api.POST(`/api/v1/streams/{stream_id}/${turn}`, params));
            await refresh();
          });
        }}
      >
        {isPaused ? 'Resume' : 'Pause'}
      </button>
      <button type="button" disabled={isBusy} onClick={() => question.current?.showModal()}>
        Remove
      </button>
      <dialog ref={question} aria-labelledby="remove-title">
        <div class="form">
          <h2 id="remove-title">Remove {stream.id}?</h2>
          <p>The camera is watched no longer. Its history stays.</p>
          <div class="buttons">
            <button type="button" class="quiet" onClick={() => question.current?.close()}>
              Keep it
            </button>
            <button
              type="button"
              class="main"
              onClick={() => {
                question.current?.close();
                void attempt(async () => {
                  await answerOf(api.DELETE('/api/v1/streams/{stream_id}', params));
                  go('/');
                  await refresh();
                });
              }}
            >
              Remove it
            </button>
          </div>
        </div>
      </dialog>
    </>
  );
}
