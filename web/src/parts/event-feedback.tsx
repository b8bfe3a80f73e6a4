import { Check, X } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { answerOf, api } from '../api/session.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useAttempt } from '../api/use-attempt.ts';
import { moment } from '../words/format.ts';

interface Word {
  readonly verdict: 'right' | 'wrong' | 'other';
  readonly label?: string;
  readonly at: string;
  readonly by: string;
}

/** Right, wrong, or another label: what people say of an episode. The last word counts. */
export function EventFeedback({
  id,
  label,
  given,
}: {
  readonly id: string;
  readonly label: string;
  readonly given: readonly Word[];
}) {
  const [said, setSaid] = useState<readonly Word[]>([]);
  const [other, setOther] = useState('');
  const { attempt, isBusy, problem } = useAttempt();
  const models = useAnswer((signal) => answerOf(api.GET('/api/v1/models', { signal })), []);
  const words = [...said, ...given];
  const [last] = words;
  const say = (body: { readonly verdict: Word['verdict']; readonly label?: string }): void => {
    void attempt(async () => {
      const params = { path: { episode_id: id } };
      const word = await answerOf(api.POST('/api/v1/events/{episode_id}/feedback', { params, body }));
      setSaid([word, ...said]);
      setOther('');
    });
  };
  const pressed = (verdict: Word['verdict']): boolean => last?.verdict === verdict;
  return (
    <section class="card wide" aria-labelledby="feedback-title">
      <h2 id="feedback-title">Is it {label}?</h2>
      <div class="inside event-feedback">
        <div class="buttons">
          <button
            type="button"
            disabled={isBusy}
            aria-pressed={pressed('right')}
            onClick={() => {
              say({ verdict: 'right' });
            }}
          >
            <Check aria-hidden="true" size={16} />
            Right
          </button>
          <button
            type="button"
            disabled={isBusy}
            aria-pressed={pressed('wrong')}
            onClick={() => {
              say({ verdict: 'wrong' });
            }}
          >
            <X aria-hidden="true" size={16} />
            Wrong
          </button>
        </div>
        <form
          onSubmit={(submitted) => {
            submitted.preventDefault();
            say({ verdict: 'other', label: other.trim() });
          }}
        >
          <label>
            Another label
            <input
              list="labels"
              maxLength={128}
              required
              value={other}
              onInput={({ currentTarget }) => {
                setOther(currentTarget.value);
              }}
            />
          </label>
          <datalist id="labels">
            {(models.value?.models.flatMap(({ labels }) => labels) ?? [])
              .filter((one) => one !== label)
              .map((one) => (
                <option key={one} value={one} />
              ))}
          </datalist>
          <button type="submit" disabled={isBusy}>
            Say so
          </button>
        </form>
        {problem !== undefined && (
          <p class="bad-text" role="alert">
            {problem}
          </p>
        )}
        <p class="soft" role="status">
          {last
            ? `${last.verdict === 'other' ? (last.label ?? '') : last.verdict}, says ${last.by} · ${moment(last.at)}`
            : 'Nobody has said so far. What is said here teaches the next model.'}
        </p>
      </div>
    </section>
  );
}
