import type { Clip } from '../core/frame.ts';
import type { ActionEvent, ClipStats } from '../core/records.ts';
import type { RunObserver, RunReport } from '../app/run.ts';
import type { EngineInfo } from '../inference/engine.ts';
import type { ScoredClip } from '../events/index.ts';
import type { CliIo } from './io.ts';
import { printLine } from './io.ts';
import { createProgress } from './progress.ts';

export interface RunDisplay extends RunObserver {
  finish(report: RunReport): void;
}

const UNREAD_BYTES = 1024 * 1024;

/**
 * What a person sees of a run: events as lines, a progress bar for files on a terminal, a summary at
 * the end.
 */
export function createRunDisplay(io: CliIo): RunDisplay {
  const progress = createProgress(io.stderr);
  let printsEvents = true;
  const files = new Map<string, { readonly durationMs: number; doneMs: number }>();

  const showProgress = (note: string): void => {
    if (files.size === 0) return;
    const all = [...files.values()];
    const total = all.reduce((sum, file) => sum + file.durationMs, 0);
    const done = all.reduce((sum, file) => sum + Math.min(file.doneMs, file.durationMs), 0);
    progress.show(done / total, note);
  };

  return {
    onReady(info: EngineInfo, { durationsMs, ndjsonOnStdout }) {
      printsEvents = !ndjsonOnStdout;
      for (const [streamId, durationMs] of durationsMs) files.set(streamId, { durationMs, doneMs: 0 });
      printLine(
        io.stderr,
        `${info.model.id} on ${info.engine}/${info.device}, ready in ${(info.warmupMs / 1000).toFixed(1)} s`,
      );
    },
    onClip(clip: Clip, _scored: ScoredClip, stats: ClipStats) {
      const file = files.get(clip.streamId);
      if (file) file.doneMs = clip.endUs / 1000;
      showProgress(`${clip.streamId} kept ${stats.compute.kept_steps}/${stats.compute.input_steps}`);
    },
    onEvents(events: readonly ActionEvent[]) {
      if (!printsEvents) return;
      progress.clear();
      // A reader that has stopped reading must not fill our memory.
      if (io.stdout.writableLength > UNREAD_BYTES) return;
      for (const event of events) printLine(io.stdout, describeEvent(event));
    },
    finish({ outcomes, undelivered, unreadable }) {
      progress.clear();
      for (const { streamId, reason, totals, error } of outcomes) {
        const kept = totals.inputSteps === 0 ? '' : `, kept ${totals.keptSteps}/${totals.inputSteps} steps`;
        const saved = totals.denseMultiplyAdds === 0 ? 0 : 1 - totals.multiplyAdds / totals.denseMultiplyAdds;
        const cause = error ? ` (${error.code}: ${error.message})` : '';
        const lost = totals.clipsDropped === 0 ? '' : ` (${totals.clipsDropped} dropped)`;
        printLine(
          io.stderr,
          `${streamId} ${reason}${cause}: ${totals.clips} clips${lost}, ${totals.events} events${kept}, ${Math.round(saved * 100)} % of multiply-adds saved`,
        );
      }
      for (const [sink, count] of Object.entries(undelivered)) {
        if (count > 0) printLine(io.stderr, `${sink}: ${count} records wait in the journal for the next run`);
      }
      for (const [sink, count] of Object.entries(unreadable)) {
        const what = `${count} records are damaged in the journal and were not delivered`;
        printLine(io.stderr, `${sink}: ${what}; actionstream journal check names them`);
      }
    },
  };
}

function describeEvent(event: ActionEvent): string {
  const { compute } = event;
  const interval =
    event.ended_at === undefined ? event.started_at : `${event.started_at} → ${event.ended_at}`;
  const receipt = `kept ${compute.kept_steps}/${compute.input_steps}, saved ${Math.round(compute.saved_ratio * 100)} %`;
  return `${event.state.padEnd(7)}  ${event.stream_id}  ${event.label}  ${interval}  score ${event.score.peak.toFixed(2)}  ${receipt}`;
}
