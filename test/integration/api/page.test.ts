import { expect, test } from 'vitest';
import { serveApi } from '../../support/api.ts';

test('a browser gets the page at every place of it; the API answers what is none', async () => {
  const { url } = await serveApi();
  const html = { headers: { accept: 'text/html,*/*' } };
  const page = await (await fetch(`${url}/`, html)).text();
  expect(page).toContain('<title>actionstream</title>');

  for (const place of ['/streams/dock.3', '/events?label=fight', '/system'])
    expect(await (await fetch(`${url}${place}`, html)).text(), place).toBe(page);
  for (const none of ['/api/v1/nothing', '/assets/nothing.js'])
    expect((await fetch(`${url}${none}`, html)).status, none).toBeGreaterThanOrEqual(400);
  for (const plain of ['/system', '/..%2f..%2fpackage.json'])
    expect((await fetch(`${url}${plain}`)).status, plain).toBeGreaterThanOrEqual(400);
});

test('the page is revalidated, its assets are kept, and its policy allows no script but its own', async () => {
  const { url } = await serveApi();
  const page = await fetch(`${url}/`);
  const [, script = ''] = /src="(\/assets\/[^"]+\.js)"/.exec(await page.text()) ?? [];
  const asset = await fetch(`${url}${script}`);

  expect(asset.status).toBe(200);
  expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(page.headers.get('cache-control')).toBe('no-cache');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self';");
  expect(page.headers.get('x-content-type-options')).toBe('nosniff');
});
