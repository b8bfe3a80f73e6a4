import { createDatabase, type PostgresConnection } from './connection.ts';
import { toPostgresError } from './errors.ts';
import { checkSchema } from './migrate.ts';
import { eventOfRow, type Row } from './rows.ts';
import type { ActionEvent } from '../../core/records.ts';

/** A read-only view of what the Postgres sink has written, of a standby as well. */
export interface PostgresReader extends AsyncDisposable {
  query<Row extends object>(text: string, values: readonly unknown[]): Promise<readonly Row[]>;
}

/**
 * @param connections how many queries may run at once
 * @throws POSTGRES_UNREACHABLE, POSTGRES_REFUSED, SCHEMA_OUTDATED
 */
export async function openPostgresReader(
  connection: PostgresConnection,
  { signal, connections = 1 }: { readonly signal?: AbortSignal; readonly connections?: number } = {},
): Promise<PostgresReader> {
  const database = createDatabase(connection, { max: connections });
  try {
    await checkSchema(database, signal);
  } catch (error) {
    await database.end();
    throw toPostgresError(error, connection);
  }
  return {
    async query<Row extends object>(text: string, values: readonly unknown[]) {
      try {
        return await database.transaction(
          async (client) => (await client.query<Row>(text, [...values])).rows,
          { access: 'read', ...(signal && { signal }) },
        );
      } catch (error) {
        throw toPostgresError(error, connection);
      }
    },
    [Symbol.asyncDispose]: () => database.end(),
  };
}

/** The rows of some episodes, as the events that made them. */
export async function readEpisodes(
  reader: PostgresReader,
  where: { readonly sql: string; readonly values: readonly unknown[] },
): Promise<readonly ActionEvent[]> {
  const rows = await reader.query<Row>(`SELECT * FROM actionstream.action_events ${where.sql}`, where.values);
  return rows.map(eventOfRow);
}
