"""Golden sampling plans of Similarity Guided Sampling as its authors' code computes them (August 2021).

    python tools/goldens/make_sgs_goldens.py            # needs numpy; writes test/fixtures/goldens/sgs/*.json

The arithmetic, in our words (paper: Fayyaz et al., CVPR 2021; * marks what only the code says):

    centre   m = mean of the clip's embeddings *
    distance D_t = || m - e_t + 1e-6 ||_p *                       p = 1 or 2; 1e-6 is added to each coordinate
    scale    d_t = D_t * (2B / max D)                             so that bins are 2 wide: [0, 2), [2, 4), ...
    centres  c_b = (max d / B) * (b + 1/2),  b = 0 .. B-1
    linear             k_bt = max(0, 1 + 1e-7 - |d_t - c_b|)
    linear_normalized  the same, each row divided by the number of its non-zero entries
    delta              k_bt = 1 where |d_t - c_b| <= max d / 2B, else 0
    delta_normalized   the same, each row divided by its number of ones
    rows that sum to zero are dropped; the others keep their order (ascending distance, not time)

The authors compute in float32. There the frame with the largest distance sits within rounding of the outer
edge of the last bin, so that its weight (1e-7 in exact arithmetic; 1 for delta) and even the number of rows
can be an accident of the processor. Cases are therefore drawn until float32 and float64 agree on the rows and
within 1e-5 on the weights; what is stored is the float64 result. `embeddings` are float32 values written
exactly. Run in float64 on torch 2.15, the authors' own code gives the same rows and weights to 1e-9 for every
case (its norm written out: pairwise_distance reduces another dimension since torch 1.10)."""

import json
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[2] / "test/fixtures/goldens/sgs"
KERNELS = ("linear", "linear_normalized", "delta", "delta_normalized")
ATOL = 1e-5


def distances(embeddings, distance, dtype):
    """[T, L] -> [T]: how far each step is from the clip's mean."""
    e = embeddings.astype(dtype)
    gap = e.mean(axis=0, keepdims=True, dtype=dtype) - e + dtype(1e-6)
    if distance == "l2":
        return np.sqrt((gap * gap).sum(axis=1, dtype=dtype))
    return np.abs(gap).sum(axis=1, dtype=dtype)


def plan(embeddings, bins, kernel, distance, dtype):
    """[T, L] -> [B', T] in the given precision."""
    dist = distances(embeddings, distance, dtype)
    dist = dist * (dtype(2 * bins) / dist.max())
    width = dist.max() / dtype(bins)
    centres = np.arange(bins, dtype=dtype) * width + width / dtype(2)
    off = np.abs(dist[None, :] - centres[:, None])
    if kernel.startswith("linear"):
        weights = np.maximum(dtype(0), dtype(1 + 1e-7) - off)
    else:
        weights = (off <= width / dtype(2)).astype(dtype)
    if kernel.endswith("normalized"):
        weights = weights / np.maximum((weights != 0).sum(axis=1, keepdims=True), 1).astype(dtype)
    return weights[weights.sum(axis=1) != 0]


def clips():
    """(name, attempt -> [T, L], bins, attempts): the attempt number seeds what is random in a clip."""

    def noise(length, size, scale=1.0):
        return lambda n: np.random.default_rng(1000 + n).normal(0, scale, (length, size))

    def static(length, size):
        return lambda n: np.repeat(np.random.default_rng(2000 + n).normal(0, 1, (1, size)), length, axis=0)

    def drift(length, size):
        def make(n):
            start, step = np.random.default_rng(3000 + n).normal(0, 1, (2, 1, size))
            return start + 0.3 * step * np.arange(length)[:, None]

        return make

    def shots(lengths, size):
        """A few still shots with cuts between: exact ties within each shot."""

        def make(n):
            views = np.random.default_rng(4000 + n).normal(0, 2, (len(lengths), size))
            return np.repeat(views, lengths, axis=0)

        return make

    def event(length, size, at):
        """Still but for one frame: the one that matters most."""

        def make(n):
            rng = np.random.default_rng(5000 + n)
            e = np.repeat(rng.normal(0, 1, (1, size)), length, axis=0)
            e[at] += rng.normal(0, 3, size)
            return e

        return make

    return [
        ("noise-8-bins-8", noise(8, 4), 8),
        ("noise-16-bins-4", noise(16, 8), 4),
        ("noise-32-bins-32", noise(32, 8), 32),
        ("noise-32-bins-64", noise(32, 16, 0.01), 64),
        ("noise-5-bins-1", noise(5, 3, 10.0), 1),
        ("one-step-bins-1", noise(1, 8), 1),
        ("two-steps-bins-2", noise(2, 8), 2),
        ("static-8-bins-8", static(8, 8), 8),
        ("static-32-bins-32", static(32, 8), 32),
        ("drift-16-bins-16", drift(16, 8), 16),
        ("drift-32-bins-32", drift(32, 4), 32),
        ("drift-7-bins-3", drift(7, 2), 3),
        ("shots-3-5-8-bins-16", shots((3, 5, 8), 8), 16),
        ("shots-10-1-5-bins-6", shots((10, 1, 5), 4), 6),
        ("event-16-bins-16", event(16, 8, 11), 16),
    ]


def draw(make, bins, kernel, distance):
    """The first draw whose result is no accident of rounding, and its exact weights."""
    for attempt in range(2000):
        embeddings = make(attempt).astype(np.float32)
        exact = plan(embeddings, bins, kernel, distance, np.float64)
        single = plan(embeddings, bins, kernel, distance, np.float32)
        if exact.size == 0 or exact.shape != single.shape or np.abs(exact - single).max() > ATOL:
            continue
        # By the formula the most distant frames belong to the last bin, on its edge.
        dist = distances(embeddings, distance, np.float64)
        if (exact[-1][dist == dist.max()] > 0).all():
            return embeddings, exact
    raise SystemExit(f"no draw of {bins} bins, {kernel}, {distance} is free of rounding accidents")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for name, make, bins in clips():
        cases = []
        for distance in ("l2", "l1"):
            for kernel in KERNELS:
                embeddings, weights = draw(make, bins, kernel, distance)
                cases.append(
                    {
                        "kernel": kernel,
                        "distance": distance,
                        "bins": bins,
                        "input_length": embeddings.shape[0],
                        "size": embeddings.shape[1],
                        "embeddings": [[float(v) for v in row] for row in embeddings],
                        "output_length": weights.shape[0],
                        "weights": [[float(f"{v:.9g}") for v in row] for row in weights],
                    }
                )
        text = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
        (OUT / f"{name}.json").write_text(f'{{"atol":{ATOL},"cases":[\n{text}\n]}}\n')
        kept = sorted({case["output_length"] for case in cases})
        print(f"{name}: {len(cases)} cases, B' {kept}")


if __name__ == "__main__":
    main()
