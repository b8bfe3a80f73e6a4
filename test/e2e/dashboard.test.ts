import axe from 'axe-core';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test, afterEach, inject } from 'vitest';
import type { Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { endRuns, terminate } from '../support/runs.ts';
import { startSite, TOKEN } from '../support/site.ts';
import { kcat, psql } from '../support/strangers.ts';

demandNoLeftovers();
afterEach(endRuns);

/** Where the pictures of the pages go, for whoever wants to look at them. */
const PICTURES = path.join('.cache', 'screenshots');
/** Longer than a scene lasts, on a machine that does much else. */
const A_SCENE_MS = 120_000;

test('wall, stream, event and history show in a browser what happens, as it happens', async () => {
  const site = await startSite();
  const browser = await launchBrowser();
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: 'light' });
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) wrong.push(message.text());
  });
  page.setDefaultTimeout(A_SCENE_MS);
  await expect.poll(() => answers(`${site.url}/livez`)).toBe(true);

  await page.goto(site.url);
  await page.getByLabel('Token', { exact: true }).fill(TOKEN);
  await page.getByRole('button', { name: 'Enter', exact: true }).click();
  const dock = page.locator('[data-stream="dock-3"]');
  await page.locator('[data-stream="dock-3"][data-state="up"] img').waitFor();
  await page.evaluate("document.body.dataset.loaded = 'once'");
  await page.locator('[data-stream="gate"]').getByText('The camera does not answer').waitFor();
  await page
    .locator('[data-stream="gate"]')
    .getByText(/since \d\d:\d\d/)
    .waitFor();

  await dock.getByRole('link', { name: /fight/ }).waitFor();
  expect(await page.getAttribute('body', 'data-loaded'), 'the page was not loaded again').toBe('once');
  await lookAt(page, 'wall');

  await dock.getByRole('heading').getByRole('link').click();
  await page.waitForURL('**/streams/dock-3');
  const episode = page.getByRole('list', { name: 'fight' }).getByRole('link').first();
  await episode.waitFor();
  await expect.poll(() => keptOf(page)).toBeGreaterThan(3);
  await lookAt(page, 'stream');

  await episode.click();
  await page.getByRole('heading', { name: 'fight on dock-3' }).waitFor();
  await page.getByText('below the threshold').waitFor();
  await playClip(page);
  const id = new URL(page.url()).pathname.split('/').at(-1) ?? '';
  const [row] = await psql<{ label: string }>(
    site.databaseUrl,
    `SELECT label FROM actionstream.action_history WHERE episode_id = '${id}'`,
  );
  expect(row).toEqual({ label: 'fight' });
  const published = await kcat(inject('kafkaBrokers'), site.topics['action.event']);
  expect(
    published.map(({ payload }) => (JSON.parse(payload) as { episode_id: string }).episode_id),
  ).toContain(id);
  await page.getByRole('button', { name: 'Wrong' }).click();
  await page.getByText(/^wrong, says jana/).waitFor();
  await lookAt(page, 'event');
  await page.reload();
  await page.getByText(/^wrong, says jana/).waitFor();
  await page.evaluate("document.body.dataset.loaded = 'once'");

  await page.getByRole('navigation').getByRole('link', { name: 'History' }).click();
  await page.getByRole('combobox', { name: 'Action' }).selectOption('fight');
  await page.getByRole('combobox', { name: 'Stream' }).selectOption('dock-3');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.waitForURL(/label=fight/);
  expect(new URL(page.url()).search).toBe('?stream=dock-3&label=fight');
  await page.getByRole('cell', { name: 'dock-3' }).first().waitFor();
  expect(
    await page.getByRole('link', { name: 'fight' }).evaluateAll((links) => links.length),
  ).toBeGreaterThan(0);
  await lookAt(page, 'history');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV' }).click(),
  ]);
  expect(await readFile(await download.path(), 'utf8')).toContain(id);

  await page.getByRole('navigation').getByRole('link', { name: 'Savings' }).click();
  await page.getByRole('heading', { name: 'By camera and day' }).waitFor();
  await lookAt(page, 'savings');
  await page.getByRole('navigation').getByRole('link', { name: 'System' }).click();
  await page.getByText('gate: the camera does not answer').waitFor();
  await lookAt(page, 'system');

  await page.getByRole('navigation').getByRole('link', { name: 'Wall' }).click();
  await addAndRemove(page, site.cameras.get('dock-3')?.url ?? '');
  site.cameras.get('entrance')?.faults.stall();
  await page
    .locator('[data-stream="entrance"]')
    .getByText(/since \d\d:\d\d/)
    .waitFor();
  expect(await page.getAttribute('body', 'data-loaded')).toBe('once');
  const { code, stderr } = await terminate(site.run);
  expect(code, stderr).toBe(0);
  await page.getByText('The program does not answer.').waitFor();
  await lookAt(page, 'offline');
  expect(wrong).toEqual([]);
});

/** From the wall and back to it, with a camera that is looked at, watched, paused, resumed and removed. */
async function addAndRemove(page: Page, url: string): Promise<void> {
  const dialog = page.getByRole('dialog', { name: 'Add a camera' });
  await page.getByRole('button', { name: 'Add camera' }).click();
  await dialog.getByLabel('Name').fill('yard');
  await dialog.getByLabel('Address').fill('rtsp://127.0.0.1:1/cam');
  await dialog.getByRole('button', { name: 'Look' }).click();
  await dialog.getByRole('alert').waitFor();
  await dialog.getByLabel('Address').fill(url);
  await dialog.getByRole('button', { name: 'Look' }).click();
  await dialog.getByText('480×360').waitFor();
  await lookAt(page, 'add');
  await dialog.getByRole('button', { name: 'Watch it' }).click();

  await page.waitForURL('**/streams/yard');
  const state = page.getByRole('region', { name: 'Live picture' });
  await state.getByText('Live', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await state.getByText('Paused').waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await state.getByText('Live', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('button', { name: 'Remove it' }).click();
  await page.getByRole('heading', { name: 'Wall' }).waitFor();
  await expect.poll(() => page.locator('[data-stream="yard"]').count()).toBe(0);
}

/** The clip of the event plays in this browser, at the size of the camera. */
async function playClip(page: Page): Promise<void> {
  await page.getByLabel('Clip: fight on dock-3').waitFor();
  const video = (asked: string): Promise<unknown> =>
    page.evaluate(`document.querySelector('video').${asked}`);
  await expect.poll(() => video('readyState')).toBe(4);
  expect(await video('videoWidth')).toBe(480);
  await video('play()');
  await expect.poll(() => video('currentTime')).toBeGreaterThan(1);
  await video('pause()');
}

async function answers(url: string): Promise<boolean> {
  return fetch(url, { headers: { connection: 'close' } }).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Clips that the strip of compute shows. */
async function keptOf(page: Page): Promise<number> {
  const label = await page.getByRole('img', { name: /^Kept steps of/ }).getAttribute('aria-label');
  return Number(/of (\d+) clips/.exec(label ?? '')?.[1]);
}

/** Takes pictures in both themes and at the width of a phone; no finding of axe may be serious. */
async function lookAt(page: Page, name: string): Promise<void> {
  await mkdir(PICTURES, { recursive: true });
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    await page.screenshot({ path: path.join(PICTURES, `${name}-${theme}.png`) });
    expect(await findingsOf(page), `${name}, ${theme}`).toEqual([]);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: path.join(PICTURES, `${name}-phone.png`), fullPage: true });
  const width = await page.evaluate('document.documentElement.scrollWidth');
  expect(width, `${name} is no wider than a phone`).toBeLessThanOrEqual(390);
  expect(await findingsOf(page), `${name}, phone`).toEqual([]);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ colorScheme: 'light' });
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

async function findingsOf(page: Page): Promise<readonly string[]> {
  // Through the debugger: the page's own policy runs no script but its own.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResult>('axe.run()');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`).join('\n')}`,
    );
}
