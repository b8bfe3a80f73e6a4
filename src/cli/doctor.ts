import type { Command } from 'commander';
import type { DoctorCheck } from '../app/doctor.ts';
import { toActionstreamError } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import type { CliIo } from './io.ts';
import { printJson, printTable } from './io.ts';

/** `doctor [config]`: each line OK or FAIL with the fix; exit 3 where one fails. */
export function addDoctorCommand(program: Command, io: CliIo): void {
  program
    .command('doctor [config.yaml]')
    .description('check Node, ffmpeg, engine, journal disk, Kafka and Postgres')
    .option('--json', 'one JSON line a check')
    .action(async (configPath: string | undefined, { json }: { json?: true }) => {
      const { doctorChecks } = await import('../app/doctor.ts');
      const results = [];
      for (const check of doctorChecks(configPath, io)) {
        const result = await runCheck(check);
        if (json) printJson(io.stdout, result);
        results.push(result);
      }
      if (!json)
        printTable(
          io.stdout,
          results.map(({ name, ok, detail }) => [ok ? 'OK' : 'FAIL', name, detail]),
        );
      if (results.some(({ ok }) => !ok)) io.setExitCode(3);
    });
}

async function runCheck(check: DoctorCheck): Promise<{ name: string; ok: boolean; detail: string }> {
  try {
    return { name: check.name, ok: true, detail: redact(await check.run()) };
  } catch (error) {
    return { name: check.name, ok: false, detail: redact(toActionstreamError(error).message) };
  }
}
