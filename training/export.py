"""Writes a run's averaged weights as fp16 safetensors with the product's manifest.json."""

import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from labels import LABELS
from network import load_checkpoint


def main() -> None:
    args = parse_arguments()
    model = load_checkpoint(args.run)
    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / "model.safetensors"
    save_file({name: half(name, value) for name, value in model.tensors().items()}, file)
    manifest = {
        "id": args.out.name,
        "version": args.version,
        "network": model.description["options"],
        "labels": list(LABELS),
        "background": "background",
        "activation": "sigmoid",
        "sampler": sampler_of(args),
        "clip": {"fps": args.fps, "stride": args.stride},
        "weights": {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()},
        **({"thresholds": json.loads(args.thresholds.read_text())} if args.thresholds else {}),
        "provenance": json.loads(args.provenance.read_text()),
    }
    (args.out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def sampler_of(args: argparse.Namespace) -> dict:
    sampler = {"kind": "ordered", "width": args.delta, "distance": "l2", "noiseFloor": args.noise_floor}
    sampler |= {"representative": args.representative} if args.representative != "mean" else {}
    return sampler | ({"minSteps": args.min_steps} if args.min_steps > 1 else {})


def half(name: str, value: torch.Tensor) -> torch.Tensor:
    """fp16, refusing values it cannot hold."""
    result = value.detach().half().contiguous()
    if not torch.isfinite(result).all():
        raise ValueError(f"{name}: leaves the range of fp16")
    return result


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a training run")
    parser.add_argument("out", type=Path, help="models/<name>")
    parser.add_argument("--version", default="1.0.0")
    parser.add_argument("--delta", type=float, default=1.0)
    parser.add_argument("--noise-floor", type=float, default=0.0)
    parser.add_argument("--representative", choices=("mean", "middle"), default="mean")
    parser.add_argument("--min-steps", type=int, default=1)
    parser.add_argument("--fps", type=float, default=10)
    parser.add_argument("--stride", type=int, default=6)
    parser.add_argument(
        "--thresholds",
        type=Path,
        help="JSON written by tools/thresholds, which needs a first export without it",
    )
    parser.add_argument(
        "--provenance", type=Path, required=True, help="JSON: data sources, licences, date, command"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
