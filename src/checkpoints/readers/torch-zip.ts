import type { Checkpoint } from '../checkpoint.ts';
import { unpickle } from '../pickle/unpickle.ts';
import { refuse } from '../refuse.ts';
import { storageBytes, torchHost } from './torch-host.ts';
import { tensorsOf } from './torch-tensors.ts';
import type { TorchStorage } from './torch-values.ts';
import type { ZipArchive } from './zip.ts';

/**
 * That of a network with its optimizer has some hundred kilobytes; text of a
 * configuration may stand in it too.
 */
const MAX_PICKLE_BYTES = 2 ** 28;

/**
 * `torch.save` since PyTorch 1.6: a zip with data.pkl and one entry a storage, under a folder of any name.
 * @throws ActionstreamError MODEL_INVALID
 */
export function readTorchZip(archive: ZipArchive, origin: string): Checkpoint {
  const folder = folderOf(archive, origin);
  if (archive.has(`${folder}constants.pkl`)) {
    throw refuse(
      origin,
      'is a TorchScript program, not a checkpoint; in Python, save torch.jit.load(FILE).state_dict()',
    );
  }
  const littleEndian = readByteOrder(archive, `${folder}byteorder`, origin);
  const place = `${origin}: ${folder}data.pkl`;
  const pickleBytes = archive.sizeOf(`${folder}data.pkl`);
  if (pickleBytes > MAX_PICKLE_BYTES) {
    throw refuse(
      place,
      `has ${pickleBytes} bytes, expected at most ${MAX_PICKLE_BYTES}: no weights, or a bomb`,
    );
  }
  const { value } = unpickle(archive.read(`${folder}data.pkl`), { place, host: torchHost });
  // Many tensors may share a storage; each entry is checked and inflated once
  // while they are read one after the other.
  let last: { readonly key: string; readonly bytes: Uint8Array } | undefined;
  const load = (storage: TorchStorage): Uint8Array => {
    if (last?.key === storage.key) return last.bytes;
    const entry = `${folder}data/${storage.key}`;
    const bytes = archive.read(entry);
    const wanted = storageBytes(storage);
    if (bytes.length < wanted) {
      throw refuse(`${origin}: ${entry}`, `holds ${bytes.length} bytes, the pickle says ${wanted}: damaged`);
    }
    last = { key: storage.key, bytes };
    return bytes;
  };
  return {
    origin,
    container: 'pytorch-zip',
    tensors: tensorsOf(value, load, { place: origin, littleEndian }),
  };
}

/** Whether the zip is PyTorch's at all. */
export function isTorchZip({ names }: ZipArchive): boolean {
  return names.some(isPickle);
}

function isPickle(name: string): boolean {
  return name === 'data.pkl' || /^[^/]+\/data\.pkl$/.test(name);
}

function folderOf({ names }: ZipArchive, origin: string): string {
  const pickles = names.filter(isPickle);
  const [name = ''] = pickles;
  if (pickles.length !== 1) throw refuse(origin, `holds ${pickles.length} entries data.pkl, expected one`);
  return name.slice(0, -'data.pkl'.length);
}

/** Without the record (before PyTorch 2.1) little-endian: so were the machines. */
function readByteOrder(archive: ZipArchive, entry: string, origin: string): boolean {
  if (!archive.has(entry)) return true;
  const order = new TextDecoder().decode(archive.read(entry)).trim();
  if (order !== 'little' && order !== 'big') {
    throw refuse(`${origin}: ${entry}`, `says ${JSON.stringify(order.slice(0, 20))}, expected little or big`);
  }
  return order === 'little';
}
