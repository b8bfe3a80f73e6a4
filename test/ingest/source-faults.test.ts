import { describe, expect, it } from 'vitest';

import { classifyFault, faultError, redacted, type SourceFault } from '../../src/ingest/source-faults.ts';
import { composeSourceAddress } from '../../src/ingest/source-address.ts';

const fallback: SourceFault = { reason: 'exit', code: 'INPUT_INVALID', detail: 'gone' };

describe('source faults', () => {
  // Lines as ffmpeg 5.1 and 9.0 print them.
  it.each([
    ['Server returned 401 Unauthorized (authorization failed)', 'unauthorized', 'SOURCE_UNAUTHORIZED'],
    ['method DESCRIBE failed: 401 Unauthorized', 'unauthorized', 'SOURCE_UNAUTHORIZED'],
    ['Server returned 403 Forbidden (access denied)', 'unauthorized', 'SOURCE_UNAUTHORIZED'],
    ['method DESCRIBE failed: 404 Not Found', 'not_found', 'SOURCE_NOT_FOUND'],
    ['Server returned 404 Not Found', 'not_found', 'SOURCE_NOT_FOUND'],
    ['Connection refused', 'unreachable', 'SOURCE_UNREACHABLE'],
    ['rist://h:5000: Protocol not found', 'unsupported', 'SOURCE_UNSUPPORTED'],
    ["[https] Protocol 'https' not on whitelist 'tcp,http'!", 'untrusted', 'SOURCE_UNTRUSTED'],
    ['actionstream-tls: certificate of cam:322 has been revoked', 'untrusted', 'SOURCE_UNTRUSTED'],
    [
      'actionstream-tls: no TLS connection to cam:322: wrong version number',
      'unreachable',
      'SOURCE_UNREACHABLE',
    ],
    ['Connection timed out', 'unreachable', 'SOURCE_UNREACHABLE'],
    ['No route to host', 'unreachable', 'SOURCE_UNREACHABLE'],
    [
      'Failed to resolve hostname nowhere.invalid: Name or service not known',
      'unreachable',
      'SOURCE_UNREACHABLE',
    ],
    ['method DESCRIBE failed: 503 Refused', 'unreachable', 'SOURCE_UNREACHABLE'],
    ['Server returned 5XX Server Error reply', 'unreachable', 'SOURCE_UNREACHABLE'],
    ['HTTP error 410 Gone', 'not_found', 'SOURCE_NOT_FOUND'],
    ['method SETUP failed: 461 Unsupported Transport', 'unreachable', 'SOURCE_UNREACHABLE'],
    // The numbers of channels, ports and files are no answers.
    ['rtsp://cam/Streaming/Channels/401: Connection refused', 'unreachable', 'SOURCE_UNREACHABLE'],
    ['rtsp://cam/404: No route to host', 'unreachable', 'SOURCE_UNREACHABLE'],
    ['rtsp://cam:554/live: Invalid data found when processing input', 'invalid_data', 'INPUT_INVALID'],
    ['461.mp4: moov atom not found', 'invalid_data', 'INPUT_INVALID'],
    ["Stream map '0:v:0' matches no streams.", 'no_video', 'SOURCE_NO_VIDEO'],
    ['[mov] moov atom not found', 'invalid_data', 'INPUT_INVALID'],
    ['Invalid data found when processing input', 'invalid_data', 'INPUT_INVALID'],
    ['actionstream-guard: 9: exec: /nowhere/ffmpeg: not found', 'ffmpeg_missing', 'FFMPEG_MISSING'],
    ['something new', 'exit', 'INPUT_INVALID'],
  ])('%s → %s', (line, reason, code) => {
    expect(classifyFault(['noise', line, 'more noise'], fallback)).toMatchObject({ reason, code });
  });

  it('prefers the cause to its consequences', () => {
    const lines = [
      'method DESCRIBE failed: 401 Unauthorized',
      "Impossible to open 'x'",
      'Invalid data found when processing input',
    ];

    expect(classifyFault(lines, fallback).reason).toBe('unauthorized');
  });

  it('names source, cause and remedy, and no secret', () => {
    const address = composeSourceAddress({
      url: 'rtsp://cam/live',
      username: 'admin',
      password: 'opensesame',
    });
    const line = redacted('[rtsp @ 0x55d75c1d3940] pipe:0: Connection refused (opensesame)', address);
    const { message } = faultError(address, {
      reason: 'unreachable',
      code: 'SOURCE_UNREACHABLE',
      detail: line,
    });

    expect(message).toBe(
      'rtsp://***@cam/live: [rtsp] Connection refused (***); check host, port and network',
    );
  });
});
