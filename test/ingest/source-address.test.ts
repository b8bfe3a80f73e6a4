import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { composeSourceAddress } from '../../src/ingest/source-address.ts';
import { inputSource } from '../../src/ingest/source-input.ts';

const printable = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 4,
  maxLength: 30,
});

/** How ffmpeg takes a URL apart: authority up to `/ ? #`, user info up to its last `@`, percent-decoded, cut at `:`. */
function readLikeFfmpeg(url: string): { user: string; password: string; host: string } {
  const [authority = ''] = url.slice(url.indexOf('://') + 3).split(/[/?#]/);
  const at = authority.lastIndexOf('@');
  const userInfo = decodeURIComponent(authority.slice(0, at));
  const colon = userInfo.indexOf(':');
  return {
    user: userInfo.slice(0, colon),
    password: userInfo.slice(colon + 1),
    host: authority.slice(at + 1),
  };
}

describe('source address', () => {
  it('carries every printable ASCII password to ffmpeg as it is', () => {
    fc.assert(
      fc.property(printable, (password) => {
        const { url } = composeSourceAddress({
          url: 'rtsp://cam.local:554/live',
          username: 'admin',
          password,
        });

        expect(readLikeFfmpeg(url)).toEqual({ user: 'admin', password, host: 'cam.local:554' });
      }),
    );
  });

  it('shows a password neither in its display form nor after redaction of what ffmpeg prints', () => {
    fc.assert(
      fc.property(printable, (password) => {
        const address = composeSourceAddress({
          url: 'rtsp://host/live',
          username: 'admin',
          password: `#${password}#`,
        });
        const said = address.redact(
          `Impossible to open '${address.url}' (user admin, password #${password}#)`,
        );

        expect(said).toBe("Impossible to open 'rtsp://***@host/live' (user admin, password ***)");
        expect(address.display).toBe('rtsp://***@host/live');
      }),
    );
  });

  it('makes one playlist line that nothing in the address can break out of', () => {
    const { playlist } = inputSource(
      composeSourceAddress({ url: "rtsp://host/a'\nfile '/etc/passwd", username: 'u', password: "'\n" }),
      'live',
      1000,
    );

    expect(playlist[1]).toBe("file 'rtsp://u:%27%0a@host/a%27%0afile%20%27/etc/passwd'");
    expect(playlist.every((line) => !line.includes('\n'))).toBe(true);
  });

  it('lets fields win over the URL, and normalises what the URL carries', () => {
    expect(composeSourceAddress({ url: 'rtsp://a:b@h/x', username: 'c', password: 'd' }).url).toBe(
      'rtsp://c:d@h/x',
    );
    expect(composeSourceAddress({ url: 'rtsp://a:p@ss%21 50%@h/x' }).url).toBe(
      'rtsp://a:p%40ss%2521%2050%25@h/x',
    );
    expect(composeSourceAddress({ url: 'rtsp://a:p%40ss@h/x' }).url).toBe('rtsp://a:p%40ss@h/x');
  });

  it('hides secrets in the query', () => {
    const address = composeSourceAddress({ url: 'http://h/video?channel=2&access_token=abc&pwd=x' });

    expect(address.display).toBe('http://h/video?channel=2&access_token=***&pwd=***');
    expect(address.redact(`${address.url}: refused`)).toBe(`${address.display}: refused`);
  });

  it.each([
    ['a slash in the password', { url: 'rtsp://u:sec/ret@h/x' }],
    ['a colon in the user name', { url: 'rtsp://h/x', username: 'a:b', password: 'secret' }],
    [
      'credentials longer than ffmpeg keeps',
      { url: 'rtsp://h/x', username: 'u', password: 'secret@'.repeat(20) },
    ],
  ])('refuses %s without repeating it', (_, location) => {
    const compose = (): unknown => composeSourceAddress(location);

    expect(compose).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(compose).toThrow(expect.objectContaining({ message: expect.not.stringMatching(/sec/) as string }));
  });

  it('takes no file name for an option or a protocol', () => {
    for (const path of ['-y.mp4', 'cam:1.mp4', '/a b/c.mp4', 'concat:a|b']) {
      expect(composeSourceAddress({ url: path })).toMatchObject({
        url: `file:${path}`,
        path,
        protocol: 'file',
      });
    }
    expect(composeSourceAddress({ url: 'file:///tmp/a%20b.mp4' }).path).toBe('/tmp/a b.mp4');
  });
});
