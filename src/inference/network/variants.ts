import { ActionstreamError } from '../../core/errors.ts';
import { STAGES, TEMPORAL_STAGES, type StageName } from './stages.ts';

/** How a stage treats time: `dense` k×k×k, `separable` 1×k×k then k×1×1, `flat` 1×k×k only (strides kept). */
export type TemporalForm = 'dense' | 'separable' | 'flat';

export interface Variant {
  /** The canonical name, e.g. `top-heavy-s3d:Mixed_4b`. */
  readonly name: string;
  form(stage: StageName): TemporalForm;
  /** Temporal convolution also after b0 and b3 of each Mixed block: the 4-branch S3D (arXiv:1712.04851). */
  readonly fourBranch: boolean;
  /** Self-gating after Conv_2c and on every branch of each Mixed block: S3D-G (arXiv:1712.04851). */
  readonly gating: boolean;
}

const PLAIN = { fourBranch: false, gating: false } as const;

const WITHOUT_LAYER: Readonly<Record<string, Omit<Variant, 'name'>>> = {
  i3d: { ...PLAIN, form: () => 'dense' },
  i2d: { ...PLAIN, form: () => 'flat' },
  s3d: { ...PLAIN, form: () => 'separable' },
  's3d-4branch': { ...PLAIN, form: () => 'separable', fourBranch: true },
  's3d-g': { ...PLAIN, form: () => 'separable', gating: true },
  'fast-s3d': { ...PLAIN, form: (stage) => (isFrom(stage, 'Mixed_5b') ? 'separable' : 'flat') },
};

const WITH_LAYER: Readonly<Record<string, (layer: StageName) => Variant['form']>> = {
  'bottom-heavy-i3d': (layer) => (stage) => (isFrom(layer, stage) ? 'dense' : 'flat'),
  'top-heavy-i3d': (layer) => (stage) => (isFrom(stage, layer) ? 'dense' : 'flat'),
  'top-heavy-s3d': (layer) => (stage) => (isFrom(stage, layer) ? 'separable' : 'flat'),
};

/** All names that `parseVariant` takes, cuts spelled out. */
export function listVariantNames(): readonly string[] {
  const cut = Object.keys(WITH_LAYER).flatMap((name) => TEMPORAL_STAGES.map((layer) => `${name}:${layer}`));
  return [...Object.keys(WITHOUT_LAYER), ...cut];
}

/** Whether a text names a network (perhaps with a layer that does not exist), rather than a file. */
export function isVariantName(text: string): boolean {
  const [base = ''] = text.toLowerCase().split(':', 1);
  return Object.hasOwn(WITHOUT_LAYER, base) || Object.hasOwn(WITH_LAYER, base);
}

/** @throws ActionstreamError NETWORK_UNKNOWN naming the known names or layers. */
export function parseVariant(text: string): Variant {
  const [base = '', layerText] = text.split(':', 2);
  const name = base.toLowerCase();
  const plain = WITHOUT_LAYER[name];
  if (plain && layerText === undefined) return { name, ...plain };
  const form = WITH_LAYER[name];
  if (form && layerText !== undefined) {
    const layer = parseStageName(layerText, TEMPORAL_STAGES);
    return { name: `${name}:${layer}`, ...PLAIN, form: form(layer) };
  }
  if (form) throw unknown(`network "${name}" needs a layer, e.g. ${name}:Mixed_4b`);
  if (plain) throw unknown(`network "${name}" takes no layer, but "${layerText ?? ''}" was given`);
  const names = [...Object.keys(WITHOUT_LAYER), ...Object.keys(WITH_LAYER).map((known) => `${known}:LAYER`)];
  throw unknown(`no network "${text}"; known: ${names.join(', ')}`);
}

/** @throws ActionstreamError NETWORK_UNKNOWN naming the known stages. */
export function parseStageName(
  text: string,
  known: readonly StageName[] = STAGES.map((s) => s.name),
): StageName {
  const found = known.find((name) => name.toLowerCase() === text.toLowerCase());
  if (!found) throw unknown(`no layer "${text}"; known: ${known.join(', ')}`);
  return found;
}

function isFrom(stage: StageName, layer: StageName): boolean {
  const order = STAGES.map((s) => s.name);
  return order.indexOf(stage) >= order.indexOf(layer);
}

function unknown(message: string): ActionstreamError {
  return new ActionstreamError('NETWORK_UNKNOWN', message);
}
