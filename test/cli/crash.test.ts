import { expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';

const THROW_LATER = new URL('../fixtures/child/throw-later.mjs', import.meta.url);

test('an error that nobody catches ends the program with exit 1, and shows no secret', async () => {
  const { code, stdout, stderr } = await runCli(['probe', 'udp://127.0.0.1:9'], {
    NODE_OPTIONS: `--import ${THROW_LATER.href}`,
    CRASH_TEXT: 'cannot reach postgres://user:Canary-42@db.example/events, password=Canary-42',
  });

  expect(code).toBe(1);
  expect(stderr).toContain('error INTERNAL: Error: cannot reach postgres://***@db.example/events');
  expect(stdout + stderr).not.toContain('Canary');
});
