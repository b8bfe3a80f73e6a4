import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { composeSourceAddress } from '../../src/ingest/source-address.ts';
import { inputOptions, inputSource } from '../../src/ingest/source-input.ts';
import type { RtspTransport } from '../../src/ingest/types.ts';

const printable = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 4,
  maxLength: 30,
});

/**
 * How ffmpeg takes a URL apart: authority up to `/ ? #`, user info up to its
 * last `@`, percent-decoded, cut at `:`.
 */
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

  it.each([
    ['udp://@:5000', 'udp://:5000', true],
    ['udp://:5000', 'udp://:5000', true],
    ['udp://@239.1.1.1:5000?pkt_size=1316', 'udp://239.1.1.1:5000?pkt_size=1316', true],
    ['rtp://239.1.1.1:5004', 'rtp://239.1.1.1:5004', true],
    ['srt://:9000?mode=listener', 'srt://:9000?mode=listener', true],
    ['srt://h:9000', 'srt://h:9000', false],
    ['rtmp://:1935/live/x?listen=1', 'rtmp://:1935/live/x?listen=1', true],
    ['rtmp://h/live/x', 'rtmp://h/live/x', false],
    ['tcp://[::1]:9000', 'tcp://[::1]:9000', false],
    ['rtsp://[fe80::1%25eth0]:554/x', 'rtsp://[fe80::1%25eth0]:554/x', false],
    ['RTSP://Cam/x', 'rtsp://Cam/x', false],
    ['mmsh://h/x', 'mmsh://h/x', false],
  ])('%s is an address; waits for a sender: %3$s', (url, opened, listens) => {
    expect(composeSourceAddress({ url })).toMatchObject({ url: opened, listens });
  });

  it.each([
    ['ws://h/x', /ws:\/\/ is no kind of source .*known: rtsp, rtsps, http.*RTSP address of the same camera/],
    ['onvif://h/x', /ONVIF GetStreamUri/],
    ['mms://h/x', /write mmsh:\/\/ .* or mmst:\/\//],
    [
      'v4l2:///dev/video0',
      /v4l2: names a device of this machine; devices are not read directly: let an RTSP server/,
    ],
    ['v4l2:/dev/video0', /names a device of this machine/],
    ['srt://:9000', /names no host; write srt:\/\/host\/…, or add \?mode=listener to wait for a sender/],
    ['rtsp://:554/x', /the rtsp URL of a source names no host/],
    ['udp://239.1.1.1', /names no port; write host:port/],
    ['rtsp://h:99999/x', /no valid host and port/],
  ])('%s is refused for the true reason', (url, says) => {
    expect(() => composeSourceAddress({ url })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(says) as string }),
    );
  });

  it('keeps the media of an rtsps source inside its TLS connection', () => {
    expect(() => composeSourceAddress({ url: 'rtsps://h/x', transport: 'udp' })).toThrow(/outside its TLS/);
    expect(composeSourceAddress({ url: 'rtsps://h/x' }).secure).toEqual({
      ...{ host: 'h', port: 322, trust: {}, plain: 'rtsp' },
    });
  });

  it('tries RTSP inside its connection first, and never lets ffmpeg open TLS', () => {
    const lines = (transport: RtspTransport): string =>
      inputSource(composeSourceAddress({ url: 'rtsp://h/x', transport }), 'live', 1000).playlist.join('\n');

    expect(lines('auto')).toContain('option rtsp_transport tcp+udp\noption rtsp_flags prefer_tcp');
    expect(lines('tcp')).toContain('option rtsp_transport tcp\n');
    expect(lines('multicast')).toContain('option rtsp_transport udp_multicast\n');
    for (const url of ['rtsp://h/x', 'https://h/x', 'rtmp://h/x', 'x.sdp', 'udp://:5000']) {
      const shown = inputOptions(composeSourceAddress({ url }), 'live').join(' ');
      const [, allowed = ''] = /-protocol_whitelist (\S+)/.exec(shown) ?? [];
      expect(allowed.split(',')).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/tls|https|rtsps|rtmps/)]),
      );
    }
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
    expect(composeSourceAddress({ url: 'file:a b.mp4' }).path).toBe('a b.mp4');
  });
});
