import { flag, section, text, wholeBetween } from '../settings/fields.ts';
import { asFlag } from '../settings/flags.ts';

export const httpSchema = section(
  {
    port: asFlag(
      wholeBetween(
        [0, 65_535],
        'Port of the HTTP API; 0: any that is free; the log says which. Default: not served.',
      ),
      '--http-port <port>',
    ).optional(),
    host: asFlag(
      text('Address to listen at. Any other than this machine itself needs `token_file`.'),
      '--http-host <address>',
    ).default('127.0.0.1'),
    keep_serving: asFlag(
      flag(
        'The program goes on when all its streams have ended by themselves, until it is stopped. Else it ends with the last file.',
      ),
      '--keep-serving',
    ).default(false),
    token_file: text(
      'File of tokens, a line each: the role (`read` or `admin`), a space, and a token of 16 characters or more. ' +
        'Requests then need `Authorization: Bearer TOKEN`. Left out: no token is asked for.',
    ).optional(),
    tls: section(
      {
        cert_file: text('Certificate of the server, with its chain, PEM.'),
        key_file: text('Key of the certificate, PEM.'),
      },
      'HTTPS. Left out: plain HTTP.',
    ).optional(),
  },
  'The HTTP API: streams, events, statistics, health and live updates; docs/api.md.',
);
