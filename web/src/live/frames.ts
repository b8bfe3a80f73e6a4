import { useEffect, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';
import { fetchFile } from '../api/session.ts';
import type { LiveStream } from './live-stream.ts';

/** The program draws each frame as PNG: all pages together ask for so many a second at most. */
const FRAMES_PER_SECOND = 6;
const SHORTEST_MS = 500;

/** Streams whose frames are on the screen now. */
let watching = 0;

/**
 * The newest frame of a stream, as the address of a blob, renewed after a clip while its element is on the
 * screen. Frames need the token, so an image cannot fetch them by itself.
 */
export function useFrame(stream: LiveStream, element: RefObject<Element>): string | undefined {
  const [shown, setShown] = useState<string>();
  const isVisible = useVisible(element);
  const clip = stream.view.value.newest_clip?.clip_id;
  const last = useRef(0);
  const isThere = useRef(true);
  useEffect(
    () => () => {
      isThere.current = false;
    },
    [],
  );
  useEffect(() => {
    if (!isVisible) return;
    watching += 1;
    return () => {
      watching -= 1;
    };
  }, [isVisible]);
  useEffect(() => {
    if (!isVisible || clip === undefined) return;
    const pause = Math.max(SHORTEST_MS, (1000 * watching) / FRAMES_PER_SECOND);
    const timer = setTimeout(
      () => {
        last.current = Date.now();
        void frameOf(stream.id).then((address) => {
          if (address === undefined) return;
          if (isThere.current) setShown(address);
          else URL.revokeObjectURL(address);
        });
      },
      Math.max(0, last.current + pause - Date.now()),
    );
    return () => {
      // A newer clip takes over what still waits; what is under way may arrive.
      clearTimeout(timer);
    };
  }, [isVisible, clip]);
  useEffect(
    () => () => {
      if (shown !== undefined) URL.revokeObjectURL(shown);
    },
    [shown],
  );
  return shown;
}

async function frameOf(id: string): Promise<string | undefined> {
  try {
    const response = await fetchFile(`/api/v1/streams/${encodeURIComponent(id)}/snapshot`);
    const image = new Image();
    image.src = URL.createObjectURL(await response.blob());
    // Decoded before it is shown: the frame before it stays until then.
    await image.decode();
    return image.src;
  } catch {
    return undefined;
  }
}

function useVisible(element: RefObject<Element>): boolean {
  const [isVisible, setVisible] = useState(false);
  useEffect(() => {
    if (!element.current) return;
    const observer = new IntersectionObserver(([entry]) => {
      setVisible(entry?.isIntersecting ?? false);
    });
    observer.observe(element.current);
    return () => {
      observer.disconnect();
    };
  }, []);
  return isVisible;
}
