import type { components, paths } from './api-types.ts';

type Schemas = components['schemas'];
type Answer<Path extends JsonPath> = paths[Path]['get']['responses'][200]['content']['application/json'];
type JsonPath = {
  [Path in keyof paths]: paths[Path] extends {
    get: { responses: { 200: { content: { 'application/json': unknown } } } };
  }
    ? Path
    : never;
}[keyof paths];

/** What the HTTP API answers, by name; docs/api.md lists the operations. */
export type ActionEvent = Schemas['ActionEvent'];
export type ClipStats = Schemas['ClipStats'];
export type StreamStatus = Schemas['StreamStatus'];
export type Problem = Schemas['Problem'];
export type Stream = Answer<'/api/v1/streams'>['streams'][number];
export type Gap = Answer<'/api/v1/gaps'>['gaps'][number];
export type HourOfCompute = Answer<'/api/v1/compute'>['hours'][number];
export type Model = Answer<'/api/v1/models'>['models'][number];
export type Setting = Answer<'/api/v1/config'>['settings'][number];
