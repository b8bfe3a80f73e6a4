import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import type { DemoServices } from './demo-services.ts';

interface DemoParts {
  readonly video: string;
  readonly cameraUrl: string;
  readonly services: DemoServices;
  /** Of the HTTP API and the dashboard. */
  readonly port: number;
}

/** Writes the configuration that the demo runs with: the same keys as any user's. */
export function writeDemoConfig(directory: string, { video, cameraUrl, services, port }: DemoParts): string {
  const config = {
    instance: 'demo',
    model: { path: 's3d-g-atfr' },
    http: { port },
    streams: [
      { id: 'scene-file', url: video, start_time: '2026-01-01T12:00:00Z' },
      { id: 'scene-camera', url: cameraUrl },
    ],
    journal: { dir: path.join(directory, 'journal') },
    sinks: {
      postgres: { url: services.postgresUrl },
      ...(services.brokers && { kafka: { brokers: services.brokers, create_topics: { partitions: 3 } } }),
    },
    log: { level: 'warn' },
  };
  const file = path.join(directory, 'demo.yaml');
  writeFileSync(file, stringify(config));
  return file;
}
