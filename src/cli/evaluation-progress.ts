import type { EvaluationObserver } from '../lab/harness/types.ts';
import { printLine, type CliIo } from './io.ts';
import { createProgress } from './progress.ts';

/** Without a terminal, a line at most this often. */
const LINE_EVERY_MS = 20_000;

/** Notes, failures and how far it is, on `stream`: a bar on a terminal, else now and then a line. */
export function createEvaluationProgress(
  stream: CliIo['stderr'],
): EvaluationObserver & { readonly end: () => void } {
  const bar = createProgress(stream);
  let [done, all, toldMs] = [0, 0, performance.now()];
  const say = (line: string): void => {
    bar.clear();
    printLine(stream, line);
  };
  return {
    onReady({ model, engine, device }, videos) {
      all = videos;
      if (model.id.startsWith('untrained-')) say(`${model.id}: random weights, its figures mean nothing`);
      say(`${model.id} on ${engine}/${device}: ${videos} videos`);
    },
    onNote(note) {
      say(note);
    },
    onVideo(name, failure) {
      done += 1;
      if (failure) say(`FAILED ${failure.path}: ${failure.code}: ${failure.message}`);
      bar.show(done / all, `${done} of ${all}  ${name}`);
      const nowMs = performance.now();
      if (stream.isTTY === true || nowMs - toldMs < LINE_EVERY_MS) return;
      toldMs = nowMs;
      say(`${done} of ${all} videos`);
    },
    end: () => {
      bar.clear();
    },
  };
}
