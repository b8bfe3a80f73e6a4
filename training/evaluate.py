"""Predictions over whole videos with sliding windows, and the figures that a training run watches."""

import numpy as np
import torch

from clips import test_pixels
from data import Video
from labels import INDEX, INTERACTIONS


@torch.no_grad()
def predict(model, video: Video, *, fps: float, stride: int, sampling) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """(window starts in s, logits [windows, labels], kept steps): full windows, and one padded where none fits."""
    options = model.description["options"]
    frames = options["frames"]
    available = int(round(video.duration_s * fps))
    firsts = list(range(0, max(1, available - frames + 1), stride))
    if available > frames and firsts[-1] != available - frames and available - frames - firsts[-1] >= stride // 2:
        firsts.append(available - frames)
    logits, kept = [], []
    for i in range(0, len(firsts), 8):
        clips = [test_pixels(video, first / fps, frames, fps, options["height"]) for first in firsts[i : i + 8]]
        record: list = []
        how = None if sampling is None else sampling(record)
        logits.append(model(torch.stack(clips), how).numpy())
        kept += [count for count, _ in record]
    return np.array(firsts) / fps, np.concatenate(logits), kept


def auc(scores: np.ndarray, truth: np.ndarray) -> float:
    positive, negative = scores[truth], scores[~truth]
    if not len(positive) or not len(negative):
        return float("nan")
    wins = (positive[:, None] > negative[None]).mean() + 0.5 * (positive[:, None] == negative[None]).mean()
    return float(wins)


def short_clip_figures(model, videos: list[Video], *, fps: float, stride: int, sampling) -> dict:
    fight, truth, right, kept, confusion = [], [], [], [], {}
    columns = [INDEX[name] for name in INTERACTIONS]
    for video in videos:
        label = video.segments[0].label
        if video.dataset == "fir-action" or label == "none":
            continue
        _, logits, counts = predict(model, video, fps=fps, stride=stride, sampling=sampling)
        scores = 1 / (1 + np.exp(-logits.clip(-60, 60)))
        kept += counts
        if video.dataset == "fight-surv":
            fight.append(scores[:, INDEX["fight"]].max())
            truth.append(label == "fight")
        else:
            guess = INTERACTIONS[int(scores[:, columns].mean(0).argmax())]
            right.append(guess == label)
            confusion.setdefault(label, []).append(guess)
    fight, truth = np.array(fight), np.array(truth)
    return {
        "fight": {"n": len(fight), "auc": auc(fight, truth), "accuracy": float(((fight > 0.5) == truth).mean())},
        "ut": {"n": len(right), "top1": float(np.mean(right)), "confusion": confusion},
        "kept": float(np.mean(kept)) if kept else None,
    }
