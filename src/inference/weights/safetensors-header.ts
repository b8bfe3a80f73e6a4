import { ActionstreamError, messageOf } from '../../core/errors.ts';

/** Where a tensor lies: bytes [begin, end) counted from the end of the header. */
export interface TensorEntry<Format extends string> {
  readonly name: string;
  readonly dtype: Format;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * The header of a .safetensors file, trusted in nothing: afterwards every entry lies inside the
 * file, none overlaps another, and each holds exactly the bytes that its shape needs. In file
 * order. `formats`: those taken, and their bytes.
 * @throws ActionstreamError MODEL_INVALID
 */
export function parseHeader<Format extends string>(
  bytes: Uint8Array,
  origin: string,
  formats: Readonly<Record<Format, number>>,
): { readonly entries: readonly TensorEntry<Format>[]; readonly dataStart: number } {
  const dataStart = 8 + headerLength(bytes, origin);
  const text = new TextDecoder().decode(bytes.subarray(8, dataStart));
  const header = parseJsonObject(text, origin);
  checkNoDuplicates(text, origin);
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => parseEntry(name, value, origin, formats))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkLayout(entries, bytes.length - dataStart, origin);
  return { entries, dataStart };
}

function headerLength(bytes: Uint8Array, origin: string): number {
  if (bytes.length < 8) {
    throw invalid(origin, `is ${bytes.length} bytes long; a .safetensors file starts with an 8-byte length`);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES || Number(length) > bytes.length - 8) {
    throw invalid(
      origin,
      `announces a header of ${length.toString()} bytes, but the file has ${bytes.length}: truncated, or no .safetensors file`,
    );
  }
  return Number(length);
}

function parseJsonObject(text: string, origin: string): object {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw invalid(origin, `has a header that is no JSON: ${messageOf(error)}`, error);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw invalid(origin, 'has a header that is no JSON object');
  }
  return header;
}

/** JSON.parse keeps the last of two equal keys in silence: which tensor was meant? */
function checkNoDuplicates(text: string, origin: string): void {
  const seen = new Set<string>();
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/g)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (depth === 1 && token.endsWith(':')) {
      const name = JSON.parse(token.slice(0, -1)) as string;
      if (seen.has(name)) throw invalid(origin, `names tensor ${name} twice`);
      seen.add(name);
    }
  }
}

function parseEntry<Format extends string>(
  name: string,
  value: unknown,
  origin: string,
  formats: Readonly<Record<Format, number>>,
): TensorEntry<Format> {
  const fail = (problem: string): ActionstreamError => invalid(origin, `tensor ${name}: ${problem}`);
  if (typeof value !== 'object' || value === null) throw fail('the header says nothing about it');
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (!isKey(formats, dtype)) {
    throw fail(`dtype ${JSON.stringify(dtype)}, expected one of ${Object.keys(formats).join(', ')}`);
  }
  if (!isCountArray(shape)) throw fail(`shape ${JSON.stringify(shape)}, expected a list of whole numbers`);
  if (!isCountArray(offsets) || offsets.length !== 2) {
    throw fail(`data_offsets ${JSON.stringify(offsets)}, expected [begin, end]`);
  }
  const [begin, end] = offsets as [number, number];
  const needed = shape.reduce<number>((product, n) => product * n, formats[dtype]);
  if (end - begin !== needed) {
    throw fail(
      `${dtype} of shape [${shape.join(', ')}] needs ${needed} bytes, its offsets hold ${end - begin}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** Without gaps or overlaps from 0 to the file's end: so says the format, and so nothing can hide. */
function checkLayout(entries: readonly TensorEntry<string>[], dataLength: number, origin: string): void {
  let previous = { name: 'the header', end: 0 };
  for (const entry of entries) {
    const { name, begin, end } = entry;
    if (end > dataLength) {
      throw invalid(
        origin,
        `tensor ${name}: ends at byte ${end} of the data, which has ${dataLength}: truncated`,
      );
    }
    if (begin !== previous.end) {
      const relation = begin < previous.end ? 'overlaps' : 'leaves a gap after';
      throw invalid(
        origin,
        `tensor ${name}: ${relation} ${previous.name}, expected to begin at ${previous.end}`,
      );
    }
    previous = entry;
  }
  if (previous.end !== dataLength) {
    throw invalid(origin, `has ${dataLength - previous.end} bytes after its last tensor, expected none`);
  }
}

function isKey<Key extends string>(record: Readonly<Record<Key, unknown>>, value: unknown): value is Key {
  return typeof value === 'string' && Object.hasOwn(record, value);
}

function isCountArray(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
}

function invalid(origin: string, problem: string, cause?: unknown): ActionstreamError {
  return new ActionstreamError('MODEL_INVALID', `${origin}: ${problem}`, { cause });
}
