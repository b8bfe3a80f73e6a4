import { section, text, wholeBetween } from '../settings/fields.ts';

export const metricsSchema = section(
  {
    port: wholeBetween(
      [0, 65_535],
      'Port at which `GET /metrics` answers in Prometheus’ text format; 0: any that is free; the log says which. Default: not served.',
    ).optional(),
    host: text(
      'Address to listen at. Anybody who reaches it reads the figures: there is no password.',
    ).default('127.0.0.1'),
  },
  'What the program tells of itself, for Prometheus; docs/metrics.md lists it.',
);
