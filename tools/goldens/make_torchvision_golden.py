"""Golden logits of torchvision's own S3D, a build of the network that nobody here wrote.

    python tools/goldens/make_torchvision_golden.py     # needs torch, torchvision

Weights and pixels come from a seed (golden_weights.py) under our tensor names; `theirs` says which of
torchvision's tensors each one is. Computed in float64 at its preset size: 224×224, 16 frames. Writes
test/fixtures/goldens/network/torchvision.json."""

import json
import pathlib
import sys

import numpy as np
import torch
import torchvision

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import golden_weights

OUT = pathlib.Path(__file__).resolve().parents[2] / "test/fixtures/goldens/network/torchvision.json"
SEED, GAMMA, FRAMES, SIZE = 77, 0.4, 16, 224
MEAN = torch.tensor([0.43216, 0.394666, 0.37645]).double()
STD = torch.tensor([0.22803, 0.22145, 0.216989]).double()
BLOCKS = {"3b": 5, "3c": 6, "4b": 8, "4c": 9, "4d": 10, "4e": 11, "4f": 12, "5b": 14, "5c": 15}
# Ours -> theirs, up to the convolution (.0) and its batch norm (.1).
BRANCHES = {
    "b0": "branch0",
    "b1.reduce": "branch1.0",
    "b1.spatial": "branch1.1.0",
    "b1.temporal": "branch1.1.1",
    "b2.reduce": "branch2.0",
    "b2.spatial": "branch2.1.0",
    "b2.temporal": "branch2.1.1",
    "b3": "branch3.1",
}
UNITS = {
    "Conv_1a.spatial": "features.0.0",
    "Conv_1a.temporal": "features.0.1",
    "Conv_2b": "features.2",
    "Conv_2c.spatial": "features.3.0",
    "Conv_2c.temporal": "features.3.1",
    **{
        f"Mixed_{block}.{ours}": f"features.{index}.{theirs}"
        for block, index in BLOCKS.items()
        for ours, theirs in BRANCHES.items()
    },
}


def theirs():
    """{torchvision's name: our name}"""
    names = {"classifier.1.weight": "Head.weight", "classifier.1.bias": "Head.bias"}
    for ours, unit in UNITS.items():
        names[f"{unit}.0.weight"] = f"{ours}.weight"
        for part in ("weight", "bias", "running_mean", "running_var"):
            names[f"{unit}.1.{part}"] = f"{ours}.bn.{part}"
    return names


def main():
    model = torchvision.models.video.s3d(weights=None).eval().double()
    state = model.state_dict()
    names = theirs()
    left = {name for name in state if not name.endswith("num_batches_tracked")} ^ set(names)
    assert not left, f"names without a partner: {sorted(left)}"
    for name, ours in names.items():
        values = torch.from_numpy(golden_weights.tensor(SEED, ours, tuple(state[name].shape), GAMMA))
        state[name].copy_(values)
    clip = torch.from_numpy(golden_weights.pixels(SEED, FRAMES, SIZE, SIZE, 1)).double()
    with torch.inference_mode():
        logits = model((((clip / 255) - MEAN) / STD).permute(3, 0, 1, 2)[None])[0].numpy()
    print(f"logits {logits.min():.3f} .. {logits.max():.3f}, deviation {logits.std():.3f}")
    text = ",".join(f"{float(np.float32(v)):.9g}" for v in logits)
    fields = f'"seed":{SEED},"gamma":{GAMMA},"frames":{FRAMES},"height":{SIZE},"width":{SIZE}'
    golden = json.loads(
        f'{{{fields},"torchvision":"{torchvision.__version__.partition("+")[0]}","logits":[{text}]}}'
    )
    OUT.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
