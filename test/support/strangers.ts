import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

// Clients that nobody here wrote: what they read is what a user reads.

export interface KafkaMessage {
  readonly key: string;
  readonly payload: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The messages of a topic from its beginning to its present end, as `kcat` reads them. */
export async function kcat(brokers: readonly string[], topic: string): Promise<readonly KafkaMessage[]> {
  const from = ['-C', '-q', '-e', '-o', 'beginning', '-b', brokers.join(','), '-t', topic];
  const text = await ask('kcat', [...from, '-J'], 'install kcat (Debian: apt-get install kcat)');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const message = JSON.parse(line) as { key: string; payload: string; headers?: string[] };
      const { key, payload, headers = [] } = message;
      const pairs = headers.flatMap((name, index) =>
        index % 2 === 0 ? [[name, headers[index + 1] ?? ''] as const] : [],
      );
      return { key, payload, headers: Object.fromEntries(pairs) };
    });
}

/** How many messages a topic holds, as `kcat` reads them: any number of them. */
export async function kcatCount(brokers: readonly string[], topic: string): Promise<number> {
  const from = ['-C', '-q', '-e', '-o', 'beginning', '-b', brokers.join(','), '-t', topic];
  const child = spawn('kcat', [...from, '-f', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  let count = 0;
  for await (const portion of child.stdout as AsyncIterable<Buffer>) count += portion.length;
  const [code] = await exited;
  if (code !== 0) throw new Error(`kcat -t ${topic} ended with ${code ?? 'a signal'}`);
  return count;
}

/** The rows that `psql` answers a query with. */
export async function psql<Row = Record<string, unknown>>(
  url: string,
  query: string,
): Promise<readonly Row[]> {
  const text = await psqlText(url, `SELECT row_to_json(answer) FROM (${query}) AS answer`);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}

/** What `psql` prints, without heading and frame. */
export function psqlText(url: string, query: string): Promise<string> {
  const options = ['--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '-v', 'ON_ERROR_STOP=1'];
  const remedy = 'install the Postgres client (Debian: apt-get install postgresql-client)';
  return ask('psql', [...options, '-c', query, url], remedy);
}

async function ask(program: string, args: readonly string[], remedy: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 1 << 28, timeout: 60_000 });
    return stdout;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new Error(`these tests read with ${program}, which is not on PATH: ${remedy}`, { cause: error });
    throw error;
  }
}
