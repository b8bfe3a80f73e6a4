"""The random stream of src/inference/weights/random-stream.ts, and the weights of golden networks made from
it.

Both sides compute weights and pixels from a seed, so that fixtures hold results only.
test/support/golden-weights.ts is the TypeScript half of `tensor` and `pixels`."""

import math

import numpy as np

GOLDEN = np.uint32(0x9E3779B9)


def mix(x):
    with np.errstate(over="ignore"):
        z = np.asarray(x, dtype=np.uint32)
        z = (z ^ (z >> np.uint32(16))) * np.uint32(0x21F0AAAD)
        z = (z ^ (z >> np.uint32(15))) * np.uint32(0x735A2D97)
        return z ^ (z >> np.uint32(15))


def fnv1a(text):
    value = 0x811C9DC5
    for byte in text.encode("ascii"):
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return np.uint32(value)


def words(seed, name, count):
    """The first `count` 32-bit words of stream (seed, name)."""
    start = mix(fnv1a(name) ^ mix(np.uint32(seed)))
    with np.errstate(over="ignore"):
        return mix(start + np.arange(1, count + 1, dtype=np.uint32) * GOLDEN)


def uniform(seed, name, count):
    return words(seed, name, count) / 2.0**32


def normal(seed, name, count):
    pairs = words(seed, name, 2 * count).astype(np.int64).reshape(count, 2)
    total = (pairs & 0xFFFF).sum(axis=1) + (pairs >> 16).sum(axis=1)
    return (total - 2 * 0xFFFF) / math.sqrt((2.0**32 - 1) / 3)


def tensor(seed, name, shape, gamma=0.5):
    """A weight by its name: nothing is 0, 1 or symmetric, so that a mix-up cannot hide.

    `gamma` is the least batch norm scale: gated networks need more to keep their features from fading.
    """
    count = math.prod(shape)
    if name.endswith(".bn.weight"):
        values = gamma + uniform(seed, name, count)
    elif name.endswith(".running_var"):
        values = 0.5 + uniform(seed, name, count)
    elif name.endswith(".running_mean"):
        values = 0.2 * normal(seed, name, count)
    elif name.endswith(".bias"):
        values = 0.1 * normal(seed, name, count)
    else:
        values = math.sqrt(2 / math.prod(shape[1:])) * normal(seed, name, count)
    return values.astype(np.float32).reshape(shape)


def pixels(seed, frames, height, width, hold):
    """uint8 [frames, height, width, 3]: noise, a new picture every `hold` frames."""
    noise = (words(seed, "pixels", frames * height * width * 3) & np.uint32(255)).astype(np.uint8)
    noise = noise.reshape(frames, height, width, 3)
    return noise[np.arange(frames) // hold * hold]
