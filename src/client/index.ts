export { createClient, problemOf, ApiProblem, type ApiClient, type ClientOptions } from './client.ts';
export { openLive, type LiveMessage, type LiveOptions } from './live.ts';
export { supersedes } from './newest-event.ts';
export { stateAt } from './state.ts';
export type {
  ActionEvent,
  ClipStats,
  Gap,
  HourOfCompute,
  Model,
  Setting,
  Stream,
  StreamStatus,
} from './records.ts';
