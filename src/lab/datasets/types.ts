/** A piece of video with what it shows. */
export interface LabelledClip {
  readonly dataset: string;
  /** Where the video lies. */
  readonly path: string;
  /** The same as the list names it. */
  readonly name: string;
  /** At least one. */
  readonly labels: readonly string[];
  /**
   * The labelled part, [startS, endS) in seconds from the first frame; absent:
   * from the beginning, to the end.
   */
  readonly startS?: number;
  readonly endS?: number;
  readonly split: string;
  /** What must never be split: a camera, a sequence, a video. */
  readonly group?: string;
}

/** What a reader makes of a list. */
export interface ClipList {
  readonly clips: readonly LabelledClip[];
  /** Entries of an official list whose video is not in the folder: public data sets lose videos. */
  readonly absent: readonly Pick<LabelledClip, 'name' | 'split'>[];
}
