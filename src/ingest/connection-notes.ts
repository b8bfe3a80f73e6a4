import { noteOfFirstFrame, noteOfRawStream, noteOfStill } from './source-notes.ts';
import type { InputDescription } from './stderr-reader.ts';

export interface ConnectionNotes {
  /** What ffmpeg says of its input. */
  input(described: InputDescription): void;
  frame(): void;
  /** ffmpeg has ended by itself. */
  end(): void;
}

/**
 * Says what is unusual about a source, as `probe` does, once a connection: a raw stream when it is opened,
 * rare key frames of a live source at the first frame, a still image at the end of its only frame.
 */
export function createConnectionNotes(
  { kind, now }: { readonly kind: 'live' | 'file'; readonly now: () => number },
  tell: (note: string) => void,
): ConnectionNotes {
  let format = '';
  let openedAtMs: number | undefined;
  let frames = 0;
  const tellAny = (note: string | undefined): void => {
    if (note !== undefined) tell(note);
  };
  return {
    input(described) {
      openedAtMs ??= now();
      if (described.format === undefined) return;
      format = described.format;
      tellAny(noteOfRawStream(format));
    },
    frame() {
      frames += 1;
      if (frames === 1 && kind === 'live' && openedAtMs !== undefined)
        tellAny(noteOfFirstFrame(now() - openedAtMs));
    },
    end() {
      if (frames > 0) tellAny(noteOfStill(format, frames));
    },
  };
}
