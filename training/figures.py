"""Figures of a checkpoint on one fold or split, dense and sampled: what is measured on the way to the shipped
model."""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from data import fold_of, load_videos
from evaluate import Prediction, figures, predict_all
from network import load_checkpoint
from store import FrameStore


def main() -> None:
    args = parse_arguments()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = load_checkpoint(args.run, device)
    videos = load_videos(args.data, args.cache, args.split)
    if args.fold is not None:
        folds = fold_of(videos)
        videos = [v for v in videos if folds[v.group] == args.fold]
    store, result = FrameStore(videos, device), {}
    for how in args.samplers.split(","):
        predictions = predict_all(model, store, videos, args.fps, args.stride, how)
        result[how] = figures(predictions, args.fps, args.stride, model.description["options"]["frames"])
        print(how, json.dumps(result[how]), flush=True)
        if args.predictions:
            np.savez(f"{args.predictions}-{how.replace(':', '-')}.npz", **arrays_of(predictions))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1))


def arrays_of(predictions: list[Prediction]) -> dict[str, np.ndarray]:
    out = {}
    for p in predictions:
        out |= {
            f"{p.video.path}|starts": p.starts,
            f"{p.video.path}|logits": p.logits,
            f"{p.video.path}|kept": p.kept,
        }
    return out


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    root = Path(__file__).resolve().parent.parent
    parser.add_argument("run", type=Path, help="folder of a training run")
    parser.add_argument("--data", type=Path, default=root / "../shared/data")
    parser.add_argument("--cache", type=Path, default=root / ".cache/training")
    parser.add_argument("--split", default="shared-train")
    parser.add_argument("--fold", type=int, help="only the groups of this fold")
    parser.add_argument("--fps", type=float, default=10)
    parser.add_argument("--stride", type=int, default=6, help="frames between windows of long videos")
    parser.add_argument("--samplers", default="dense,ordered:1")
    parser.add_argument("--predictions", help="prefix of .npz files with logits and kept steps a video")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
