"""Figures of a checkpoint on one fold or split, dense and sampled: what is measured on the way to the shipped model.

`actionstream evaluate` gives the final ones through the product itself.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from data import fold_of, load_videos
from evaluate import auc, predict
from falls import add_up, episodes, match
from labels import INDEX, INTERACTIONS
from network import Network
from sgs import Sampling


def main() -> None:
    args = parse_arguments()
    torch.set_num_threads(args.threads)
    model, fps = load_checkpoint(args.run), args.fps
    videos = load_videos(args.data, args.cache, args.split)
    if args.fold is not None:
        folds = fold_of(videos)
        videos = [v for v in videos if folds[v.group] == args.fold]
    result = {}
    for how in args.samplers.split(","):
        predictions = predict_all(model, videos, fps, args.stride, how)
        result[how] = figures(predictions, model, fps, args.stride, json.loads(args.policy))
        print(how, json.dumps({k: v for k, v in result[how].items() if k != "confusion"}), flush=True)
        if args.predictions:
            np.savez(f"{args.predictions}-{how.replace(':', '-')}.npz", **arrays_of(predictions))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1))


def load_checkpoint(run: Path) -> Network:
    """The averaged weights of a run, for evaluation."""
    model = Network(json.loads((run / "network.json").read_text()))
    state = torch.load(run / "checkpoint.pt", weights_only=False)["average"]
    with torch.no_grad():
        for name, value in model.tensors().items():
            value.copy_(state[name])
    return model.eval()


def sampling_of(how: str):
    """`dense` or `ordered:DELTA[:FLOOR]` -> what evaluate.predict takes."""
    kind, _, rest = how.partition(":")
    if kind == "dense":
        return None
    width, _, floor = rest.partition(":")
    return lambda record: Sampling(float(width), float(floor or 0), record=record)


def predict_all(model: Network, videos: list, fps: float, stride: int, how: str) -> list[tuple]:
    """(video, window starts in s, logits, kept steps): short clips with windows half a clip apart, long ones with `stride`."""
    half = model.description["options"]["frames"] // 2
    out = []
    for video in videos:
        step = stride if video.dataset == "fir-action" else half
        out.append((video, *predict(model, video, fps=fps, stride=step, sampling=sampling_of(how))))
    return out


def figures(predictions: list[tuple], model: Network, fps: float, stride: int, policy: dict) -> dict:
    steps = model.description["options"]["frames"] // 2
    result, confusion, right, fight, truth = {}, {}, [], [], []
    columns = [INDEX[name] for name in INTERACTIONS]
    falls, seconds = [], 0.0
    kept: dict[str, list[int]] = {}
    for video, starts, logits, counts in predictions:
        kept.setdefault(video.dataset, []).extend(counts)
        scores = 1 / (1 + np.exp(-logits.clip(-60, 60)))
        label = video.segments[0].label
        if video.dataset == "fight-surv":
            fight.append(scores[:, INDEX["fight"]].mean())
            truth.append(label == "fight")
        elif video.dataset == "ut-interaction" and label != "none":
            guess = INTERACTIONS[int(scores[:, columns].mean(0).argmax())]
            right.append(guess == label)
            confusion.setdefault(label, []).append(guess)
        elif video.dataset == "fir-action":
            clip_s = model.description["options"]["frames"] / fps
            found = episodes(starts, scores[:, INDEX["fall"]], policy, clip_s, stride / fps)
            falls.append(match(found, [(s.start_s, s.end_s) for s in video.segments if s.label == "falling"]))
            seconds += video.duration_s
    if fight:
        fight, truth = np.array(fight), np.array(truth)
        result["fight-surv"] = {"n": len(fight), "auc": auc(fight, truth), "accuracy": float(((fight > 0.5) == truth).mean())}
    if right:
        result["ut-interaction"] = {"n": len(right), "top1": float(np.mean(right))}
    if falls:
        result["fir-action"] = add_up(falls, seconds / 3600)
    result["kept_ratio"] = {name: float(np.mean(counts)) / steps for name, counts in kept.items() if counts}
    result["confusion"] = confusion
    return result


def arrays_of(predictions: list[tuple]) -> dict[str, np.ndarray]:
    out = {}
    for video, starts, logits, kept in predictions:
        out[f"{video.path}|starts"], out[f"{video.path}|logits"] = starts, logits
        out[f"{video.path}|kept"] = np.array(kept)
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
    parser.add_argument("--policy", default='{"on": 0.5, "off": 0.35, "smoothing": 1, "merge_gap_s": 1, "min_duration_s": 1}')
    parser.add_argument("--predictions", help="prefix of .npz files with logits and kept steps a video")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
