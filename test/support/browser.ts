import { existsSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { onTestFinished } from 'vitest';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** A real Chromium without a window, which ends with the test. `CHROMIUM_PATH` names another one. */
export async function launchBrowser(): Promise<Browser> {
  // Its sandbox refuses root, and containers that lack user namespaces. It opens only our own page here.
  const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
  onTestFinished(() => browser.close());
  return browser;
}

function findChromium(): string {
  const named = process.env['CHROMIUM_PATH'];
  if (named !== undefined) return named;
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const found = folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name))).find(existsSync);
  if (found !== undefined) return found;
  throw new Error(
    'the page is tested in Chromium, which is not on PATH: install it (Debian: apt-get install chromium)',
  );
}
