"""Self-supervised pretraining of the study's small S3D-G, and whether it helps: the same network trained on
the labels from scratch and from what it learned of the frames alone (README.md). Held-out groups decide; no
label is seen before the second part."""

import argparse
import json
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from data import fold_of, load_videos
from evaluate import figures, predict_all
from network import Network, export_network
from store import FrameStore
from study_clips import StudyClips
from study_run import RATE, STEPS, STUDY, Plan, Run, network_options

SPEEDS = (0.5, 1.0, 2.0)
ORDERS = 3
# Optical flow is told a quarter of the clip and a quarter of the picture at a time: |flow|, right, down.
PARTS, QUARTERS, FLOWS = 4, 4, 3
BATCH = 16


def main() -> None:
    args = parse_arguments()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    videos = load_videos(args.data, args.cache, "shared-train")
    folds = fold_of(videos)
    held = [v for v in videos if folds[v.group] == args.hold_out]
    whole = FrameStore(held, torch.device("cpu"))
    clips = StudyClips(
        [v for v in videos if folds[v.group] != args.hold_out],
        args.cache,
        STUDY.frames,
        STUDY.fps,
        STUDY.size,
    )
    for seed in args.seeds:
        learned = pretrained(args, clips, seed)
        for name, start in (("scratch", None), ("pretrained", learned)):
            file = args.out / f"{name}-{seed}.json"
            if not file.exists():
                model = labelled(clips, seed, args.steps, start, args.out / f"{name}-{seed}.pt")
                predictions = predict_all(model, whole, held, STUDY.fps, STUDY.frames // 2, "dense")
                file.write_text(json.dumps(figures(predictions, STUDY.fps, STUDY.frames // 2, STUDY.frames)))
            print(name, seed, file.read_text(), flush=True)


def labelled(clips: StudyClips, seed: int, steps: int, start: dict | None, checkpoint: Path) -> Network:
    """The study's own training."""
    plan = Plan(f"s3d-g-{seed}", "s3d-g", seed, steps, RATE)
    torch.manual_seed(seed)
    model = Network(export_network(network_options(plan, STUDY)), dropout=0.1)
    if start is not None:
        model.adopt(start, partial=True)
    run = Run(plan, model, None)
    run.resume(checkpoint)
    run.train(clips, checkpoint, None)
    model.adopt(run.average)
    return model.eval()


def pretrained(args: argparse.Namespace, clips: StudyClips, seed: int) -> dict:
    """Tensors of all layers but the head, after learning order, speed and flow of unlabelled windows."""
    file = args.out / f"pretext-{seed}.pt"
    if not file.exists():
        plan = Plan(f"pretext-{seed}", "s3d-g", seed, args.pretext_steps, RATE)
        options = network_options(plan, STUDY) | {"classes": ORDERS + len(SPEEDS) + PARTS * QUARTERS * FLOWS}
        torch.manual_seed(seed)
        run = PretextRun(plan, Network(export_network(options), dropout=0.0), None)
        run.train(Unlabelled(clips), args.out / f"pretext-{seed}.checkpoint.pt", None)
        torch.save({name: value for name, value in run.average.items() if not name.startswith("Head")}, file)
    return torch.load(file, weights_only=False)


class Unlabelled:
    """Windows of all videos, longer ones oftener by the root of their length, played in order, backwards or
    shuffled, at one of three speeds."""

    def __init__(self, clips: StudyClips):
        self.clips = clips
        self.videos = [v for pool in clips.pools.values() for v in pool] + clips.indoor
        weights = np.sqrt([len(v.frames) for v in self.videos])
        self.weights = weights / weights.sum()

    def batch(self, _step: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """[n, t, h, w] in [0, 1], and (order, speed, flow...) [n, 2 + PARTS * QUARTERS * FLOWS]"""
        drawn = [self.clip(rng) for _ in range(BATCH)]
        clips, targets = zip(*drawn)
        return torch.from_numpy(np.stack(clips)).float().div_(255), torch.from_numpy(np.stack(targets))

    def clip(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        video = self.videos[rng.choice(len(self.videos), p=self.weights)]
        order, speed = int(rng.integers(ORDERS)), int(rng.integers(len(SPEEDS)))
        fps = self.clips.speed(rng) / SPEEDS[speed]
        start = rng.uniform(0, max(0.01, video.duration_s - STUDY.frames / fps))
        clip, _ = self.clips.window(video, start, fps, rng)
        if order == 1:
            clip = clip[::-1]
        elif order == 2:
            clip = clip[
                rng.permutation(PARTS)[:, None] * (STUDY.frames // PARTS) + np.arange(STUDY.frames // PARTS)
            ].reshape(clip.shape)
        clip = np.ascontiguousarray(clip)
        return clip, np.concatenate([[order, speed], flow_of(clip)]).astype(np.float32)


def flow_of(clip: np.ndarray) -> np.ndarray:
    """[PARTS * QUARTERS * FLOWS]: dense optical flow (Farnebäck 2003), pixels a frame, averaged and made
    small."""
    flows = np.stack(
        [cv2.calcOpticalFlowFarneback(a, b, None, 0.5, 2, 9, 2, 5, 1.1, 0) for a, b in pairwise(clip)]
    )
    flows = np.concatenate([flows[:1], flows])  # [t, h, w, 2]
    all_three = np.concatenate([np.linalg.norm(flows, axis=3, keepdims=True), flows], 3)
    t, h, w, c = all_three.shape
    parts = all_three.reshape(PARTS, t // PARTS, 2, h // 2, 2, w // 2, c).mean((1, 3, 5))
    return np.arcsinh(2 * parts).ravel()


class PretextRun(Run):
    def loss(self, logits: torch.Tensor, clips: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        order, speed, flow = logits.split([ORDERS, len(SPEEDS), PARTS * QUARTERS * FLOWS], 1)
        return (
            F.cross_entropy(order, targets[:, 0].long())
            + F.cross_entropy(speed, targets[:, 1].long())
            + 2 * F.smooth_l1_loss(flow, targets[:, 2:], beta=0.2)
        )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    root = Path(__file__).resolve().parent.parent
    parser.add_argument("--data", type=Path, default=root / "../shared/data")
    parser.add_argument("--cache", type=Path, default=root / ".cache/training")
    parser.add_argument("--out", type=Path, default=root / ".cache/pretrain")
    parser.add_argument(
        "--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[1, 2, 3]
    )
    parser.add_argument("--hold-out", type=int, default=0, help="fold of groups that both are measured on")
    parser.add_argument("--pretext-steps", type=int, default=1000, help="of 16 clips")
    parser.add_argument("--steps", type=int, default=STEPS, help="of 16 labelled clips")
    return parser.parse_args()


if __name__ == "__main__":
    main()
