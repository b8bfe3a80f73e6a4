import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A file under dist/: what runs in child processes is built JavaScript (Node 20 runs no TypeScript). */
export function builtFile(path: string): URL {
  const url = new URL(`../../dist/${path}`, import.meta.url);
  if (!existsSync(fileURLToPath(url))) throw new Error(`dist/${path} is absent: run npm run build`);
  return url;
}
