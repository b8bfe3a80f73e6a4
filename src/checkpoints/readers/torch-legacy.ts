import type { Checkpoint } from '../checkpoint.ts';
import type { PickleHost, PickleValue } from '../pickle/types.ts';
import { unpickle } from '../pickle/unpickle.ts';
import { refuse } from '../refuse.ts';
import { NUMBER_BYTES } from './numbers.ts';
import { torchHost } from './torch-host.ts';
import { tensorsOf } from './torch-tensors.ts';
import { asStorage, type TorchStorage } from './torch-values.ts';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/**
 * `torch.save` before PyTorch 1.6: five pickles one behind the other (magic number,
 * protocol, machine, the object, storage keys), then each storage as its number of
 * elements and its numbers, in little-endian order whatever the machine said.
 * @throws ActionstreamError MODEL_INVALID
 */
export function readTorchLegacy(bytes: Uint8Array, origin: string): Checkpoint {
  const storages = new Map<string, TorchStorage>();
  let position = 0;
  const next = (host: PickleHost): PickleValue => {
    const { value, end } = unpickle(bytes, { start: position, place: origin, host });
    position = end;
    return value;
  };
  checkHead(next(torchHost), next(torchHost), origin);
  next(torchHost);
  const value = next(noting(storages));
  const keys = next(torchHost);
  const blocks = locateStorages(bytes, { position, keys, storages, origin });
  const load = (storage: TorchStorage): Uint8Array => {
    const block = blocks.get(storage.key);
    if (block) return block;
    throw refuse(origin, `storage ${storage.key} is referred to but not there: truncated or damaged`);
  };
  return {
    origin,
    container: 'pytorch-legacy',
    tensors: tensorsOf(value, load, { place: origin, littleEndian: true }),
  };
}

/** The magic number as the pickle of protocol 2 that stands first. */
export function isTorchLegacy(bytes: Uint8Array): boolean {
  const head = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
  return head.every((byte, i) => bytes[i] === byte);
}

function checkHead(magic: PickleValue, protocol: PickleValue, origin: string): void {
  if (magic !== MAGIC || protocol !== PROTOCOL) {
    throw refuse(origin, `is no PyTorch file of protocol ${PROTOCOL}; save it again with torch.save`);
  }
}

/**
 * The host that also remembers which storages it met: their element sizes are not written beside the numbers.
 */
function noting(storages: Map<string, TorchStorage>): PickleHost {
  return {
    ...torchHost,
    load: (id, fail) => {
      const value = torchHost.load(id, fail);
      const storage = asStorage(value);
      if (storage) storages.set(storage.key, storage);
      return value;
    },
  };
}

interface StorageList {
  readonly position: number;
  readonly keys: PickleValue;
  readonly storages: ReadonlyMap<string, TorchStorage>;
  readonly origin: string;
}

function locateStorages(
  bytes: Uint8Array,
  { position, keys, storages, origin }: StorageList,
): ReadonlyMap<string, Uint8Array> {
  if (!Array.isArray(keys)) throw refuse(origin, 'does not list its storages');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks = new Map<string, Uint8Array>();
  let at = position;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage) throw refuse(origin, 'lists a storage that no tensor refers to');
    if (at + 8 > bytes.length)
      throw refuse(origin, `ends before storage ${storage.key}: truncated; fetch it again`);
    const count = Number(view.getBigUint64(at, true));
    const end = at + 8 + count * NUMBER_BYTES[storage.format];
    if (end > bytes.length) {
      throw refuse(
        origin,
        `storage ${storage.key} needs ${count} numbers of ${storage.dtype}, the file ends before: truncated; fetch it again`,
      );
    }
    blocks.set(storage.key, bytes.subarray(at + 8, end));
    at = end;
  }
  return blocks;
}
