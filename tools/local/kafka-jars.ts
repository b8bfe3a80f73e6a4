import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const KAFKA_VERSION = '4.4.0';

/**
 * Folder of the broker's jars, resolved once by Maven into `<cacheDir>/kafka-<version>/libs`.
 * @throws Error that says what is missing: Maven, or the network on the first call
 */
export function resolveKafkaJars(cacheDir: string): string {
  const home = join(cacheDir, `kafka-${KAFKA_VERSION}`);
  const libs = join(home, 'libs');
  if (existsSync(libs)) return libs;
  mkdirSync(home, { recursive: true });
  // Resolved aside and renamed: an interrupted download never looks like a finished one.
  const staging = mkdtempSync(join(home, 'resolving-'));
  writeFileSync(join(staging, 'pom.xml'), POM);
  const result = spawnSync(
    'mvn',
    [
      ...['-q', '-B', '-f', join(staging, 'pom.xml'), 'dependency:copy-dependencies'],
      ...[`-DoutputDirectory=${join(staging, 'libs')}`, '-DincludeScope=runtime'],
    ],
    { encoding: 'utf8' },
  );
  if (result.status !== 0) {
    rmSync(staging, { recursive: true, force: true });
    throw new Error(
      result.error
        ? 'Maven (mvn) is needed once to fetch the Kafka broker; install maven, or set TEST_KAFKA_BROKERS'
        : `Maven could not fetch Kafka ${KAFKA_VERSION}: ${`${result.stdout}${result.stderr}`.slice(-1000)}`,
    );
  }
  if (!existsSync(libs)) renameSync(join(staging, 'libs'), libs);
  rmSync(staging, { recursive: true, force: true });
  return libs;
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>actionstream.local</groupId><artifactId>kafka-broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`;
