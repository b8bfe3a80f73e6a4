import type { Command } from 'commander';
import { addBenchCommand } from './bench.ts';
import { addCalibrateCommand } from './calibrate.ts';
import { addConfigCommands } from './config-commands.ts';
import { addDatabaseCommands } from './database.ts';
import { addDlqCommand } from './dlq.ts';
import { addDoctorCommand } from './doctor.ts';
import { addEvaluateCommand } from './evaluate.ts';
import { addEventsCommand } from './events.ts';
import { addFeedbackCommand } from './feedback.ts';
import { addInferCommand } from './infer.ts';
import type { CliIo } from './io.ts';
import { addJournalCommand } from './journal.ts';
import { addModelsCommand } from './models.ts';
import { addProbeCommand } from './probe.ts';
import { addReportCommand } from './report.ts';
import { addRunCommand } from './run.ts';
import { addSampleCommand } from './sample.ts';
import { addStreamsCommand } from './streams.ts';
import { addTeachCommand } from './teach.ts';

/**
 * Every command, in the order of the help. Each loads what it needs when it runs: `--version` waits for
 * no Kafka client.
 */
export function addCommands(program: Command, io: CliIo): void {
  for (const add of [
    ...[addRunCommand, addModelsCommand, addInferCommand, addEvaluateCommand],
    ...[
      addCalibrateCommand,
      addTeachCommand,
      addSampleCommand,
      addBenchCommand,
      addProbeCommand,
      addConfigCommands,
      addDatabaseCommands,
    ],
    ...[addStreamsCommand, addEventsCommand, addFeedbackCommand, addReportCommand, addJournalCommand],
    ...[addDlqCommand, addDoctorCommand],
  ])
    add(program, io);
}
