import { createDatabase, type PostgresConnection } from './connection.ts';
import { toPostgresError } from './errors.ts';

const PAGE_ROWS = 2000;
/** One page of a scan without an index may take long on a large table. */
const PAGE_TIMEOUT_MS = 15 * 60_000;

/**
 * The rows of a query, a page at a time, however many there are. Nothing is written.
 * @throws POSTGRES_UNREACHABLE, POSTGRES_REFUSED
 */
export async function* readCursor<Row extends object>(
  connection: PostgresConnection,
  text: string,
  values: readonly unknown[],
): AsyncGenerator<readonly Row[], void, undefined> {
  const database = createDatabase({ ...connection, statementTimeoutMs: PAGE_TIMEOUT_MS }, { max: 1 });
  try {
    const transaction = await database.begin({ access: 'read' });
    const { client } = transaction;
    try {
      await client.query(`DECLARE page NO SCROLL CURSOR FOR ${text}`, [...values]);
      for (;;) {
        const { rows } = await client.query<Row>(`FETCH ${PAGE_ROWS} FROM page`);
        if (rows.length === 0) break;
        yield rows;
      }
      await transaction.commit();
    } finally {
      transaction.abandon();
    }
  } catch (error) {
    throw toPostgresError(error, connection);
  } finally {
    await database.end();
  }
}
