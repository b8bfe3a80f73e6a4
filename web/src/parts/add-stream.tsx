import { Plus } from 'lucide-preact';
import { useRef, useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import { answerOf, api } from '../api/session.ts';
import { useAttempt } from '../api/use-attempt.ts';
import { refresh } from '../live/store.ts';

interface Entered {
  readonly id: string;
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly site: string;
  readonly tags: string;
}

type Report = Awaited<ReturnType<typeof look>>;

const NOTHING: Entered = { id: '', url: '', username: '', password: '', site: '', tags: '' };

/** Adds a camera: its address is looked at before it is watched. */
export function AddStream() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [opened, setOpened] = useState(0);
  return (
    <>
      <button
        type="button"
        class="main"
        onClick={() => {
          setOpened(opened + 1);
          dialog.current?.showModal();
        }}
      >
        <Plus aria-hidden="true" size={18} /> Add camera
      </button>
      <dialog ref={dialog} aria-labelledby="add-title">
        {/* Anew each time: no password stays in the page. */}
        <Form key={opened} close={() => dialog.current?.close()} />
      </dialog>
    </>
  );
}

function Form({ close }: { readonly close: () => void }) {
  const [, go] = useLocation();
  const [entered, setEntered] = useState(NOTHING);
  const [report, setReport] = useState<Report>();
  const { attempt, isBusy, problem } = useAttempt();
  const next = async (): Promise<void> => {
    if (!report) {
      setReport(await look(entered));
      return;
    }
    await answerOf(
      api.POST('/api/v1/streams', {
        body: { id: entered.id, ...sourceOf(entered), ...descriptionOf(entered) },
      }),
    );
    await refresh();
    close();
    go(`/streams/${encodeURIComponent(entered.id)}`);
  };
  const change = (changed: Partial<Entered>): void => {
    setEntered({ ...entered, ...changed });
    // Another address was not looked at yet.
    if (isOfSource(changed)) setReport(undefined);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void attempt(next);
      }}
    >
      <h2 id="add-title">Add a camera</h2>
      <Fields entered={entered} change={change} />
      <div role="status">
        {isBusy && !report && <p class="soft">Looking at the camera…</p>}
        {report && <Seen report={report} />}
      </div>
      {problem !== undefined && (
        <p class="bad-text" role="alert">
          {problem}
        </p>
      )}
      <div class="buttons">
        <button type="button" class="quiet" onClick={close}>
          Cancel
        </button>
        <button type="submit" class="main" disabled={isBusy}>
          {report ? 'Watch it' : 'Look'}
        </button>
      </div>
    </form>
  );
}

interface FieldsProps {
  readonly entered: Entered;
  readonly change: (changed: Partial<Entered>) => void;
}

function Fields({ entered, change }: FieldsProps) {
  const kept = (key: keyof Entered) => ({
    value: entered[key],
    onInput: ({ currentTarget: { value } }: { readonly currentTarget: HTMLInputElement }) => {
      change({ [key]: key === 'url' ? value.trim() : value });
    },
  });
  return (
    <>
      <label>
        Name
        <input
          required
          pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"
          title="Letters, digits, dots, dashes and underscores; it stays with every event"
          autocomplete="off"
          {...kept('id')}
        />
      </label>
      <label>
        Address
        <input required placeholder="rtsp://192.168.0.20:554/stream1" autocomplete="off" {...kept('url')} />
      </label>
      <div class="side-by-side">
        <label>
          User
          <input autocomplete="off" {...kept('username')} />
        </label>
        <label>
          Password
          <input type="password" autocomplete="new-password" {...kept('password')} />
        </label>
      </div>
      <div class="side-by-side">
        <label>
          Site
          <input placeholder="optional" autocomplete="off" {...kept('site')} />
        </label>
        <label>
          Tags
          <input placeholder="optional, with spaces between" autocomplete="off" {...kept('tags')} />
        </label>
      </div>
    </>
  );
}

/** What the camera sends. */
function Seen({ report }: { readonly report: Report }) {
  const { codec, width, height, measured_fps: measured, declared_fps: declared, notes = [] } = report;
  const fps = measured ?? declared;
  return (
    <>
      <p>
        It sends{' '}
        <b>
          {width}×{height}
        </b>{' '}
        {codec}
        {fps !== undefined && ` at ${Math.round(fps * 10) / 10} frames a second`}.
      </p>
      {notes.map((note) => (
        <p key={note} class="soft">
          {note}.
        </p>
      ))}
    </>
  );
}

function look(entered: Entered) {
  return answerOf(api.POST('/api/v1/probe', { body: sourceOf(entered) }));
}

function isOfSource(changed: Partial<Entered>): boolean {
  return ['url', 'username', 'password'].some((key) => key in changed);
}

function descriptionOf({ site, tags }: Entered) {
  const words = tags.split(/[\s,]+/).filter((tag) => tag !== '');
  return { ...(site.trim() !== '' && { site: site.trim() }), ...(words.length > 0 && { tags: words }) };
}

function sourceOf({ url, username, password }: Entered) {
  return { url, ...(username !== '' && { username }), ...(password !== '' && { password }) };
}
