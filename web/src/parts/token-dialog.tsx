import { useEffect, useRef, useState } from 'preact/hooks';
import { isTokenWanted, tokenHeld, useToken } from '../api/session.ts';
import { connectNow } from '../live/store.ts';

/** Asks for the token where the program demands one. */
export function TokenDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [entered, setEntered] = useState('');
  const isWanted = isTokenWanted.value;
  useEffect(() => {
    if (isWanted) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isWanted]);
  return (
    <dialog ref={dialog} aria-labelledby="token-title" onClose={() => (isTokenWanted.value = false)}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          useToken(entered.trim());
          setEntered('');
          connectNow();
        }}
      >
        <h2 id="token-title">This program asks for a token</h2>
        {tokenHeld() !== '' && <p class="bad-text">The token that you entered is not one of this program.</p>}
        <p>
          A token is a word of the file that <code>http.token_file</code> names. It stays in this tab and is
          forgotten when you close it.
        </p>
        <label>
          Token
          <input
            type="password"
            autocomplete="current-password"
            required
            value={entered}
            onInput={({ currentTarget }) => {
              setEntered(currentTarget.value);
            }}
          />
        </label>
        <div class="buttons">
          <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
            Not now
          </button>
          <button type="submit" class="main">
            Enter
          </button>
        </div>
      </form>
    </dialog>
  );
}
