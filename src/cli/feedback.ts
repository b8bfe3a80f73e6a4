import type { Command } from 'commander';
import type { CliIo } from './io.ts';
import { printJson, printLine } from './io.ts';
import { placesOf, type PlaceFlags } from './places.ts';

interface ExportFlags extends PlaceFlags {
  readonly out: string;
  readonly media?: string;
  readonly json?: true;
}

/** `feedback export`: what people said of episodes, as clips that `teach` learns from. */
export function addFeedbackCommand(program: Command, io: CliIo): void {
  program
    .command('feedback')
    .description('what people said of events')
    .command('export [config.yaml]')
    .description('clips of judged events and their list, for teach --data: wrong ones become background')
    .requiredOption('--out <dir>', 'folder for feedback.csv and its clips')
    .option('--postgres <url>', 'database, in place of a configuration file')
    .option('--media <dir>', 'where the clips are, in place of media.dir')
    .option('--json', 'the result as one JSON line')
    .action(async (configPath: string | undefined, { out, media, json, ...places }: ExportFlags) => {
      const { exportFeedback } = await import('../app/feedback.ts');
      const request = { places: placesOf(configPath, places), out, ...(media !== undefined && { media }) };
      const result = await exportFeedback(request, io);
      if (json) {
        printJson(io.stdout, result);
        return;
      }
      const { manifest, clips, right, wrong, other, groups, without_clip: without } = result;
      printLine(
        io.stdout,
        `${clips} clips of ${groups} streams: ${right} right, ${wrong} wrong, ${other} another label`,
      );
      if (without > 0) printLine(io.stderr, `${without} judged events have no clip, and are left out`);
      printLine(io.stdout, `${manifest}: teach --data takes it`);
    });
}
