import { streamJsonSchema } from '../../src/config/schema.ts';

/** schemas/stream-definition.schema.json: a message of the topic that holds the streams of a fleet. */
export function renderDefinitionSchema(): string {
  const head = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'urn:actionstream:schema:stream-definition:v1',
    title: 'Stream definition',
    description:
      'A stream that the workers of a fleet share: the settings of a stream of the configuration file. The topic is compacted; ' +
      'the key is the id, and a message without a value removes the stream. Holds the passwords of cameras.',
  };
  return `${JSON.stringify({ ...streamJsonSchema(), ...head }, null, 2)}\n`;
}
