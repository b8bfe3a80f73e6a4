import type { StreamOptions } from '../ingest/types.ts';
import { explainIssues, type Finding } from './explain-issues.ts';
import { omit } from './omit.ts';
import { configError } from './problem.ts';
import { jsonSchemaOf } from './schema.ts';
import { createFileSettings } from './secrets.ts';
import { sourceTrust } from './source-trust.ts';
import { sourceSchema } from './stream-schema.ts';

/** How a source is reached. */
export type SourceSettings = Pick<StreamOptions, 'url' | 'username' | 'password' | 'transport' | 'tls'>;

/**
 * A source by itself, in the words of a stream of the configuration file.
 * @throws CONFIG_INVALID with a problem for each key
 */
export function resolveSource(written: unknown): SourceSettings {
  const parsed = sourceSchema.safeParse(written);
  const fail = (findings: readonly Finding[]): never => {
    throw configError(
      'the source',
      findings.map(({ path, message }) => ({ where: '', path, message })),
    );
  };
  if (!parsed.success) return fail(explainIssues(parsed.error.issues, written, jsonSchemaOf(sourceSchema)));
  const findings: Finding[] = [];
  const report = (finding: Finding): void => void findings.push(finding);
  const tls = sourceTrust(parsed.data.tls, ['tls'], { files: createFileSettings(report), report });
  if (findings.length > 0) return fail(findings);
  return { ...omit(parsed.data, ['tls']), ...(tls && { tls }) };
}
