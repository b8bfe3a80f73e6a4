"""On and off thresholds per label from predictions on groups that the weights never saw (figures.py --predictions)."""

import argparse
import json
from pathlib import Path

import numpy as np

from data import load_videos
from labels import LABELS, UNKNOWN, targets_of

DEFAULT_ON = 0.5


def main() -> None:
    args = parse_arguments()
    predictions = np.load(args.predictions)
    by_path = {v.path: v for v in load_videos(args.data, args.cache, "shared-train")}
    scores, targets = [], []
    for key in predictions.files:
        path, _, part = key.partition("|")
        if part != "logits":
            continue
        starts = predictions[f"{path}|starts"]
        for start, logits in zip(starts, predictions[key]):
            scores.append(1 / (1 + np.exp(-logits.clip(-60, 60))))
            targets.append(targets_of(by_path[path], start, start + args.clip_s))
    scores, targets = np.array(scores), np.array(targets)
    chosen = {}
    for i, label in enumerate(LABELS):
        if label == "background":
            continue
        on = best_threshold(scores[:, i], targets[:, i])
        chosen[label] = {"on": round(on, 3), "off": round(0.7 * on, 3)}
    args.out.write_text(json.dumps(chosen, indent=1))
    print(json.dumps(chosen))


def best_threshold(scores: np.ndarray, targets: np.ndarray) -> float:
    """The middle of the thresholds whose F1 over windows is within 1 % of the best; DEFAULT_ON with too few examples.

    Few windows move a best threshold far: it is drawn half way back to DEFAULT_ON."""
    known = targets != UNKNOWN
    scores, truth = scores[known], targets[known] == 1
    if truth.sum() < 5:
        return DEFAULT_ON
    candidates = np.linspace(0.05, 0.95, 91)
    f1 = np.array([2 * (truth & (scores >= c)).sum() / max(1, truth.sum() + (scores >= c).sum()) for c in candidates])
    middle = float(np.median(candidates[f1 >= 0.99 * f1.max()]))
    return (middle + DEFAULT_ON) / 2


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    root = Path(__file__).resolve().parent.parent
    parser.add_argument("predictions", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=root / "../shared/data")
    parser.add_argument("--cache", type=Path, default=root / ".cache/training")
    parser.add_argument("--clip-s", type=float, default=2.4)
    return parser.parse_args()


if __name__ == "__main__":
    main()
