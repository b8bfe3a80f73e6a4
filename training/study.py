"""Trains the networks of the trade-off study alike, one after another; goes on from what is there
(docs/study.md).

`npm run study` calls it, evaluates what it wrote through the product and draws the plots."""

import argparse
from pathlib import Path

import torch

from data import load_videos
from study_clips import StudyClips
from study_run import RATE, STEPS, STUDY, Plan, Shape, train

VARIANTS = ("s3d-g", "i2d", "fast-s3d", "s3d", "i3d")
PLACEMENTS = ("Conv_1a", "Conv_2b", "Conv_2c", "Mixed_3c")


def main() -> None:
    args = parse_arguments()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    shape = Shape(args.frames, args.fps, args.size, args.width)
    videos = load_videos(args.data, args.cache, "shared-train")
    clips = StudyClips(videos, args.cache, shape.frames, shape.fps, shape.size)
    for stage in stages(args.steps, args.more_steps):
        for seed in args.seeds:
            for plan in stage(seed):
                train(plan, shape, clips, args.out / plan.name, args.pause_file)


def stages(steps: int, more: int) -> list:
    """Seed -> runs, in the order of what the study asks first. Networks are trained dense from scratch; S3D-G
    then goes on for `more` steps: dense (the control), with uniform strides, with SGS at each place, all held
    to what it said before. Whatever is compared has seen equally many clips."""

    def alone(*variants: str):
        return lambda seed: [Plan(f"{variant}-{seed}", variant, seed, steps, RATE) for variant in variants]

    def onwards(name: str, seed: int, after: str | None = None, sampling: str | None = None) -> Plan:
        return Plan(f"s3d-g-{name}-{seed}", "s3d-g", seed, more, 1.5e-3, after, sampling, f"s3d-g-{seed}")

    def ordered(*places: str):
        return lambda seed: [onwards(f"ordered-{after}", seed, after, "ordered") for after in places]

    controls = lambda seed: [onwards("dense", seed), onwards("uniform-Conv_2b", seed, "Conv_2b", "uniform")]
    first, *others = VARIANTS
    elsewhere = [after for after in PLACEMENTS if after != "Conv_2b"]
    return [alone(first), ordered("Conv_2b"), controls, alone(*others), ordered(*elsewhere)]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    root = Path(__file__).resolve().parent.parent
    parser.add_argument("--data", type=Path, default=root / "../shared/data")
    parser.add_argument("--cache", type=Path, default=root / ".cache/training")
    parser.add_argument("--out", type=Path, default=root / ".cache/study/models")
    parser.add_argument(
        "--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[1, 2, 3]
    )
    parser.add_argument(
        "--steps", type=int, default=STEPS, help="of 16 clips, from scratch: 28 epochs of 224 clips"
    )
    parser.add_argument("--more-steps", type=int, default=224, help="for S3D-G to go on: 16 epochs")
    parser.add_argument("--frames", type=int, default=STUDY.frames)
    parser.add_argument("--fps", type=float, default=STUDY.fps)
    parser.add_argument("--size", type=int, default=STUDY.size)
    parser.add_argument("--width", type=float, default=STUDY.width)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pause-file", type=Path, help="training waits while this file exists")
    return parser.parse_args()


if __name__ == "__main__":
    main()
