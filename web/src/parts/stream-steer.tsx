import { useRef, useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import { answerOf, api } from '../api/session.ts';
import type { LiveStream } from '../live/live-stream.ts';
import { refresh } from '../live/store.ts';
import { inWords } from './add-stream.tsx';

/** Pauses, resumes and removes one stream while the others run on. */
export function StreamSteer({ stream }: { readonly stream: LiveStream }) {
  const [, go] = useLocation();
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const question = useRef<HTMLDialogElement>(null);
  const params = { params: { path: { stream_id: stream.id } } };
  const isPaused = stream.view.value.state === 'paused';
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    setProblem(undefined);
    setBusy(true);
    try {
      await work();
      await refresh();
    } catch (error) {
      setProblem(inWords(error));
    }
    setBusy(false);
  };
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
          void attempt(() => answerOf(api.POST(`/api/v1/streams/{stream_id}/${turn}`, params)));
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
