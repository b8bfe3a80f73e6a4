import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import type { DemoServices } from './demo-services.ts';

interface DemoParts {
  readonly video: string;
  readonly cameraUrl: string;
  readonly services: DemoServices;
}

/** Writes the configuration that the demo runs with: the same keys as any user's. */
export function writeDemoConfig(directory: string, { video, cameraUrl, services }: DemoParts): string {
  const config = {
    instance: 'demo',
    ...modelSettings(),
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

const SHIPPED = path.join(import.meta.dirname, '..', '..', 'models', 's3d-g-atfr');

/** The shipped model; without one, random weights whose scores happen to move with the picture, and mean nothing. */
function modelSettings(): object {
  if (existsSync(path.join(SHIPPED, 'manifest.json'))) return { model: { path: SHIPPED } };
  return {
    model: { network: 's3d-g', width: 0.5, frames: 32, size: 112, classes: 8 },
    sampler: { kind: 'ordered', width: 0.05 },
    defaults: { window: { fps: 15, stride: 16 } },
    events: { on: 0.17, off: 0.155, min_duration: '0s' },
  };
}
