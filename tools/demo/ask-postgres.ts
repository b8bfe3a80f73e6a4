import pg from 'pg';

const QUERY = `SELECT stream_id, label, started_at, ended_at, round(score_peak::numeric, 2) AS peak
FROM actionstream.action_events ORDER BY started_at, label LIMIT 12`;

/** Shows the query and its answer as psql would. */
export async function askPostgres(url: string, say: (text: string) => void): Promise<void> {
  say(`psql "${url}" -c "\n${QUERY}"\n`);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows, fields } = await client.query<Record<string, unknown>>(QUERY);
    const table = [
      fields.map(({ name }) => name),
      ...rows.map((row) => fields.map(({ name }) => cell(row[name]))),
    ];
    const widths = fields.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
    for (const row of table) say(row.map((text, column) => text.padEnd(widths[column]!)).join('  '));
    if (rows.length === 0) throw new Error('no event reached Postgres');
  } finally {
    await client.end();
  }
}

function cell(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'string' ? value : JSON.stringify(value);
}
