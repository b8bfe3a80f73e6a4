import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { redact, redactDeep, redactUrl } from '../../src/core/redact.ts';

const PRINTABLE = Array.from({ length: 0x5f }, (_, i) => String.fromCharCode(0x20 + i));
const passwordOf = (unit: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.string({ unit, minLength: 1, maxLength: 20 });
/** Passwords of all that can be typed. */
const printable = passwordOf(fc.constantFrom(...PRINTABLE));
/**
 * What may stand in a URL as it is: no space; and no quote or bracket, which
 * may belong to the sentence around it.
 */
const inQuery = passwordOf(fc.constantFrom(...PRINTABLE.filter((c) => !` '")]}>,;:.&#?=_`.includes(c))));

describe('redaction', () => {
  it('takes every printable password out of the front of a URL, as it is and percent-encoded', () => {
    fc.assert(
      fc.property(printable, (password) => {
        expect(redactUrl(`rtsp://admin:${password}@cam:554/live`)).toBe('rtsp://***@cam:554/live');
        const encoded = encodeURIComponent(password);
        expect(redact(`opening 'rtsp://admin:${encoded}@cam/live' failed`)).toBe(
          "opening 'rtsp://***@cam/live' failed",
        );
      }),
    );
  });

  it('takes every password without a space out of a URL inside a sentence', () => {
    fc.assert(
      fc.property(printable, (text) => {
        const password = text.replaceAll(' ', '+');
        expect(redact(`cannot open rtsp://admin:${password}@cam/live: refused`)).toBe(
          'cannot open rtsp://***@cam/live: refused',
        );
      }),
    );
  });

  // Where makers of cameras put a login; `%s` is the password.
  const styles = [
    ['XMEye, in the path', 'rtsp://h:554/user=admin_password=%s_channel=1_stream=0.sdp?real_stream'],
    ['XMEye, with ampersands', 'rtsp://h/user=admin&password=%s&channel=1&stream=0.sdp?'],
    ['Foscam', 'http://h:88/cgi-bin/CGIStream.cgi?cmd=GetMJStream&usr=admin&pwd=%s'],
    ['Foscam, older', 'http://h/videostream.cgi?loginuse=admin&loginpas=%s&resolution=32'],
    ['Reolink', 'http://h/flv?port=1935&app=bcs&stream=channel0_main.bcs&user=admin&password=%s'],
    ['Axis', 'rtsp://h/axis-media/media.amp?user=root&passwd=%s&fps=10'],
    ['Hikvision, older', 'rtsp://h/Streaming/Channels/1?auth=%s&transportmode=unicast'],
    ['Vivotek', 'http://h/cgi-bin/viewer/video.jpg?account=root&pass=%s'],
    ['token', 'http://h/live.m3u8?access_token=%s&n=1'],
    ['signature', 'https://h/live.m3u8?Expires=1&Signature=%s&Key-Pair-Id=2'],
    ['key', 'https://h/live.m3u8?api_key=%s'],
    ['one letter', 'http://h/video?u=admin&p=%s&q=1'],
    ['SRT', 'srt://h:9000?mode=caller&passphrase=%s&latency=200'],
    ['SRT stream id', 'srt://h:9000?streamid=read:cam:admin:%s&latency=200'],
    ['a path segment', 'rtsp://h/0/admin:%s/main'],
  ] as const;
  it.each(styles)('knows the style: %s', (_, url) => {
    fc.assert(
      fc.property(inQuery, (text) => {
        // In a path segment, a bare @ ends a login and a slash the segment.
        const password = `c4nary${url.includes('/0/') ? text.replaceAll(/[/@]/g, '~') : text}`;
        const whole = url.replace('%s', () => password);
        for (const shown of [redactUrl(whole), redact(`cannot open '${whole}': refused`)]) {
          expect(shown).not.toContain(password);
          expect(shown).not.toContain('c4nary');
          if (!password.includes('@')) expect(shown).toContain(whole.slice(0, whole.indexOf('://') + 4));
          else for (const part of password.split('@')) expect(shown).not.toContain(`@${part}`);
        }
      }),
    );
  });

  it('keeps what is no secret', () => {
    for (const text of [
      'rtsp://***@cam/1: 401 Unauthorized',
      'http://h:8080/a/b.mp4?channel=2&resolution=640x480',
      'udp://@239.1.1.1:5000',
      'postgres://***@db:5432/actionstream?sslmode=verify-full',
      'opening /videos/2026-11-30T10:00:00.mp4',
      'compute budget: delta raised to 1.4 (p95=120 ms)',
    ]) {
      expect(redact(text)).toBe(text);
      if (!text.includes(' ')) expect(redactUrl(text)).toBe(text);
    }
    expect(redact('https://h/a?user=admin&channel=2')).toBe('https://h/a?user=***&channel=2');
  });

  it.each([
    ["host=db password='it''s s3cret' dbname=x", 'host=db password=*** dbname=x'],
    ['password = s3cret\\ dbname=x', 'password = *** dbname=x'],
    ['{"password":"s3\\"cret","host":"h"}', '{"password":"***","host":"h"}'],
    ['GET / HTTP/1.1\nAuthorization: Basic czNjcmV0\nHost: h', 'GET / HTTP/1.1\nAuthorization: ***\nHost: h'],
  ])('in other texts: %s', (text, shown) => {
    expect(redact(text)).toBe(shown);
  });

  it('is the same done twice, and ends in time on hostile text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.constantFrom(...styles),
        (text, [, url]) => {
          for (const whole of [text, `${url} ${text}`, `rtsp://${text}`, `a?password=${text}`]) {
            expect(redact(redact(whole))).toBe(redact(whole));
          }
        },
      ),
      { numRuns: 500 },
    );
    // Work grows with the text, not with its square or worse.
    for (const piece of ['user=', 'a://', '/a:b', '_password=', 'password=', '@', '"token":', '&x='])
      expect(redact(`rtsp://h/${piece.repeat(20_000)}`).length).toBeLessThan(400_000);
  });

  it('goes through every text of a value', () => {
    const url = 'rtsp://a:s3cret@h/1';
    const when = new Date(0);

    expect(redactDeep({ url, list: [url, 1], deeper: { url }, when, none: undefined })).toEqual({
      ...{ url: 'rtsp://***@h/1', list: ['rtsp://***@h/1', 1], deeper: { url: 'rtsp://***@h/1' } },
      ...{ when, none: undefined },
    });
  });
});
