"""What sampling costs on cameras that a network did not learn from. Five networks are begun anew, each
without one fold of the groups of shared-train, and judged on that fold: dense, with even strides, `ordered`.

    python training/folds.py --out .cache/folds --temporal-edge edge --similarity grid:7

Further options are those of train.py. The same command goes on where it was interrupted; folds.json is
written after each fold."""

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from data import FOLDS, Video, fold_of, load_videos
from evaluate import auc, first_frames, predict
from labels import INDEX
from network import Network, load_checkpoint
from store import FrameStore

HERE = Path(__file__).resolve().parent
DRAWS = 1000


def main() -> None:
    args, more = parse_arguments()
    torch.set_num_threads(args.threads)
    videos = [v for v in load_videos(args.data, args.cache, "shared-train") if v.dataset == "fight-surv"]
    # Folds are those of train.py, which sees all data sets.
    folds = fold_of(load_videos(args.data, args.cache, "shared-train"))
    judged: list[dict] = []
    for fold in args.folds:
        out = args.out / f"fold-{fold}"
        train(out, fold, args, more)
        held = [video for video in videos if folds[video.group] == fold]
        judged.append({"fold": fold, "clips": judge(out, held, args)})
        report = summary(judged, args.ways)
        (args.out / "folds.json").write_text(json.dumps(report, indent=1))
        print(json.dumps({"folds": len(judged), **report}), flush=True)


def train(out: Path, fold: int, args: argparse.Namespace, more: list[str]) -> None:
    """train.py resumes from its checkpoint, and does nothing where all steps are done."""
    places = ["--data", args.data, "--cache", args.cache, "--out", out, "--hold-out", fold]
    flags = [*places, "--steps", args.steps, "--batch", args.batch, "--epoch", args.epoch, *more]
    environment = {**os.environ, "OMP_NUM_THREADS": str(args.threads)}
    subprocess.run([sys.executable, str(HERE / "train.py"), *map(str, flags)], check=True, env=environment)


def judge(out: Path, held: list[Video], args: argparse.Namespace) -> list[dict]:
    """A fight score and the share of multiply-adds for each held-out clip and way of running."""
    model = load_checkpoint(out, torch.device("cpu")).eval()
    frames, store = model.description["options"]["frames"], FrameStore(held, torch.device("cpu"))
    cost = cost_of_steps(model)
    clips = []
    for slot, video in enumerate(held):
        starts = first_frames(video, frames, args.fps, frames // 2) / args.fps
        windows = np.stack([store.window(slot, start, frames, args.fps) for start in starts])
        ways = {}
        for way in args.ways:
            logits, kept = predict(model, store, windows, way)
            score = float((1 / (1 + np.exp(-logits[:, INDEX["fight"]]))).mean())
            ways[way] = {"score": score, "cost": float(np.mean([cost[int(k)] for k in kept]))}
        fight = video.segments[0].label == "fight"
        clips.append({"group": video.group, "fight": fight, "ways": ways})
    return clips


@torch.no_grad()
def cost_of_steps(model: Network) -> dict[int, float]:
    """Multiply-adds of a clip that keeps so many steps, of those with all."""
    options = model.description["options"]
    grey = torch.zeros(1, options["frames"], options["height"], options["width"])
    with FlopCounterMode(display=False) as counter:
        model(grey)
    dense = counter.get_total_flops()
    steps = options["frames"] // 2
    above = {kept: flops_above(model, kept) for kept in range(1, steps + 1)}
    return {kept: (dense - above[steps] + flops) / dense for kept, flops in above.items()}


def flops_above(model: Network, kept: int) -> int:
    cut, (_, upper) = model.cut(), model.halves()
    options = model.description["options"]
    channels = model.tensor("Conv_2b.weight").shape[0]
    features = torch.zeros(1, channels, kept, options["height"] // 4, options["width"] // 4)
    with FlopCounterMode(display=False) as counter:
        model.above(upper, cut["name"], features, torch.ones(1, kept))
    return counter.get_total_flops()


def summary(judged: list[dict], ways: list[str]) -> dict:
    """Mean over folds of the AUC, and of how far each way lies below dense; 95 % intervals draw groups."""
    rng = np.random.default_rng(1)
    drawn = [[draw_groups(one["clips"], rng) for one in judged] for _ in range(DRAWS)]
    result = {"folds": [one["fold"] for one in judged], "ways": {}}
    for way in ways:
        aucs = [auc_of(one["clips"], way) for one in judged]
        below = [mean_difference(sample, way) for sample in drawn]
        costs = [clip["ways"][way]["cost"] for one in judged for clip in one["clips"]]
        result["ways"][way] = {
            "auc": float(np.nanmean(aucs)),
            "auc_of_folds": aucs,
            "multiply_adds_ratio": float(np.mean(costs)),
            "below_dense": mean_difference([one["clips"] for one in judged], way),
            "interval": [float(np.nanpercentile(below, q)) for q in (2.5, 97.5)],
        }
    return result


def draw_groups(clips: list[dict], rng: np.random.Generator) -> list[dict]:
    groups = defaultdict(list)
    for clip in clips:
        groups[clip["group"]].append(clip)
    names = sorted(groups)
    return [clip for i in rng.integers(len(names), size=len(names)) for clip in groups[names[i]]]


def mean_difference(folds: list[list[dict]], way: str) -> float:
    return float(np.nanmean([auc_of(clips, "dense") - auc_of(clips, way) for clips in folds]))


def auc_of(clips: list[dict], way: str) -> float:
    scores = np.array([clip["ways"][way]["score"] for clip in clips])
    return auc(scores, np.array([clip["fight"] for clip in clips]))


def parse_arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(description=__doc__)
    root = HERE.parent
    parser.add_argument("--data", type=Path, default=root / "../shared/data")
    parser.add_argument("--cache", type=Path, default=root / ".cache/training")
    parser.add_argument("--out", type=Path, default=root / ".cache/folds")
    parser.add_argument("--folds", type=int, nargs="+", default=list(range(FOLDS)))
    parser.add_argument("--steps", type=int, default=1400)
    parser.add_argument("--batch", type=int, default=19)
    parser.add_argument("--epoch", type=int, default=50, help="steps between checkpoints")
    parser.add_argument("--fps", type=float, default=10)
    parser.add_argument("--threads", type=int, default=1)
    ways = ["uniform:2", "uniform:3", "ordered:3:0:middle", "ordered:5:0:middle", "ordered:8:0:middle"]
    parser.add_argument("--ways", nargs="+", default=ways, help="uniform:STRIDE, or as evaluate.py takes it")
    args, more = parser.parse_known_args()
    args.ways = ["dense", *(way for way in args.ways if way != "dense")]
    return args, more


if __name__ == "__main__":
    main()
