import { Download } from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import { fetchFile } from '../api/session.ts';
import { moment } from '../words/format.ts';
import { Loading } from './notices.tsx';

/** What the program keeps of an episode, as `GET /api/v1/events/{episode_id}` tells it. */
export interface Media {
  /** Absent: no video is kept. */
  readonly state?: 'kept' | 'pending' | 'none';
  readonly snapshot?: string;
  readonly snapshot_at?: string;
  readonly clip?: string;
  readonly clip_from?: string;
  readonly clip_to?: string;
  readonly note?: string;
}

/** Snapshot and clip of an episode; in their place, why there are none. */
export function EventMedia({ media, title }: { readonly media: Media; readonly title: string }) {
  const { clip, clip_from: from, note } = media;
  const poster = useFile(media.snapshot);
  const video = useFile(clip);
  return (
    <section class="card wide" aria-labelledby="media-title">
      <div class="card-head">
        <h2 id="media-title">{clip === undefined ? 'Snapshot' : 'Clip'}</h2>
        {video.address !== undefined && (
          <a class="button" href={video.address} download={`${title}.mp4`}>
            <Download aria-hidden="true" size={16} />
            Download
          </a>
        )}
      </div>
      <div class="inside event-media">
        {video.address !== undefined && (
          <video
            controls
            loop
            playsInline
            preload="auto"
            aria-label={`Clip: ${title}`}
            src={video.address}
            {...(poster.address !== undefined && { poster: poster.address })}
          />
        )}
        {video.address === undefined && poster.address !== undefined && (
          <img src={poster.address} alt={`Snapshot: ${title}`} />
        )}
        {(video.isLoading || poster.isLoading) && <Loading lines={6} />}
        {from !== undefined && (
          <p class="soft">Begins at {moment(from)}, as the camera sent it, without sound.</p>
        )}
        {note !== undefined && <p class="soft">{sentence(note)}</p>}
      </div>
    </section>
  );
}

/** A file that needs the token, as the address of a blob. */
function useFile(path: string | undefined): { readonly address?: string; readonly isLoading: boolean } {
  const [file, setFile] = useState<{ readonly address?: string; readonly isLoading: boolean }>({
    isLoading: path !== undefined,
  });
  useEffect(() => {
    if (path === undefined) {
      setFile({ isLoading: false });
      return;
    }
    const stop = new AbortController();
    let address: string | undefined;
    setFile({ isLoading: true });
    fetchFile(path, stop.signal)
      .then((response) => response.blob())
      .then(
        (blob) => {
          if (stop.signal.aborted) return;
          address = URL.createObjectURL(blob);
          setFile({ address, isLoading: false });
        },
        () => {
          if (!stop.signal.aborted) setFile({ isLoading: false });
        },
      );
    return () => {
      stop.abort();
      if (address !== undefined) URL.revokeObjectURL(address);
    };
  }, [path]);
  return file;
}

function sentence(note: string): string {
  return `${note.charAt(0).toUpperCase()}${note.slice(1)}.`;
}
