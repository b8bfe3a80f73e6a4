import { CloudOff, LoaderCircle, Lock } from 'lucide-preact';
import { isTokenWanted } from '../api/session.ts';
import { connection } from '../live/connection.ts';
import { connectNow } from '../live/store.ts';

/** Says what stands between the page and the program; nothing while records arrive. */
export function ConnectionBanner() {
  return (
    <div role="status" class="banners">
      {connection.value === 'offline' && (
        <p class="banner bad">
          <CloudOff aria-hidden="true" size={18} />
          <span>
            <strong>The program does not answer.</strong> What you see is from before. It is tried again by
            itself.
          </span>
          <button type="button" onClick={connectNow}>
            Try now
          </button>
        </p>
      )}
      {connection.value === 'starting' && (
        <p class="banner busy">
          <LoaderCircle aria-hidden="true" size={18} class="turns" />
          <span>
            <strong>The program starts.</strong> Its model is being loaded; cameras follow in a few seconds.
          </span>
        </p>
      )}
      {connection.value === 'locked' && !isTokenWanted.value && (
        <p class="banner busy">
          <Lock aria-hidden="true" size={18} />
          <span>
            <strong>A token is needed</strong> to see this program.
          </span>
          <button type="button" onClick={() => (isTokenWanted.value = true)}>
            Enter it
          </button>
        </p>
      )}
    </div>
  );
}
