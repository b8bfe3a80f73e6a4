import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { StudyOptions } from './options.ts';

const SCRIPT = path.join(import.meta.dirname, '..', '..', 'training', 'study.py');

/** Runs training/study.py; it goes on from the networks and checkpoints that are there. */
export async function trainNetworks({ python, models, data, seeds, training }: StudyOptions): Promise<void> {
  const args = [SCRIPT, '--out', models, '--data', data, '--seeds', seeds.join(','), ...training];
  const child = spawn(python, args, { stdio: 'inherit' });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (code === 0) return;
  throw new Error(
    `${python} training/study.py ended with ${signal ?? `code ${String(code)}`}; it needs training/requirements.txt: ` +
      'name an interpreter that has it with --python',
  );
}
