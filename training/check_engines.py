"""Equal numbers here and in the product: logits of one clip by PyTorch, and by `actionstream infer` on its
engines (run `npm run build` first)."""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from arithmetic import sampling_of_manifest
from network import ROOT, Network, export_network

TOLERANCE = 1e-3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="models/<name>")
    parser.add_argument("--engines", default="onnx,reference")
    parser.add_argument(
        "--video", type=Path, help="take its first frames; without it, a drifting noise pattern"
    )
    args = parser.parse_args()
    manifest = json.loads((args.model / "manifest.json").read_text())
    pixels = clip_of(manifest["network"], manifest["clip"]["fps"], args.video)
    expected = {
        "ordered": torch_logits(args.model, manifest, pixels, True),
        "none": torch_logits(args.model, manifest, pixels, False),
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clip.npy"
        np.save(file, pixels)
        for engine in args.engines.split(","):
            for sampler, (logits, kept) in expected.items():
                found = product_logits(args.model, file, engine, sampler)
                error = np.abs(np.array(found["logits"]) - logits).max()
                print(
                    f"{engine:9} {sampler:7} kept {found['compute']['kept_steps']} (PyTorch {kept}), "
                    f"|Δ logit| ≤ {error:.2e}"
                )
                if error > TOLERANCE or (kept is not None and kept != found["compute"]["kept_steps"]):
                    raise SystemExit("the product computes something else")


def clip_of(network: dict, fps: float, video: Path | None) -> np.ndarray:
    frames, height, width = network["frames"], network["height"], network["width"]
    if video:
        filters = f"fps={fps},scale={width}:{height}:flags=bilinear"
        command = [
            "ffmpeg",
            "-v",
            "error",
            "-i",
            video,
            "-vf",
            filters,
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-",
        ]
        raw = subprocess.run(command, check=True, capture_output=True).stdout
        clip = np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)[:frames]
        return np.concatenate([clip, np.repeat(clip[-1:], frames - len(clip), 0)])
    noise = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    still = np.kron(noise, np.ones((8, 8, 1), np.uint8))
    return np.stack([np.roll(still, (2 * t, 3 * t), (0, 1)) for t in range(frames)])


def torch_logits(
    folder: Path, manifest: dict, pixels: np.ndarray, sampled: bool
) -> tuple[np.ndarray, int | None]:
    model = Network(export_network(manifest["network"])).eval()
    model.adopt(load_file(folder / manifest["weights"]["file"]))
    with torch.no_grad():
        grey = torch.from_numpy(pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)) / 255
        record: list = []
        how = sampling_of_manifest(manifest["sampler"], record) if sampled else None
        return model(grey[None], how)[0].numpy(), int(record[0][0]) if sampled else None


def product_logits(folder: Path, clip: Path, engine: str, sampler: str) -> dict:
    command = [
        "node",
        "dist/main.js",
        "infer",
        str(clip),
        "--model",
        str(folder.resolve()),
        "--engine",
        engine,
        "--json",
    ]
    command += ["--sampler", "none"] if sampler == "none" else []
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    main()
