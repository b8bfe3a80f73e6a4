"""Predictions over whole videos with sliding windows, and the figures made of them.

`actionstream evaluate` gives the final ones through the product itself.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from arithmetic import parse_sampling
from data import Video
from falls import add_up, episodes, match
from labels import INDEX, INDOOR, INTERACTIONS, LABELS, UNKNOWN, targets_of
from network import Network
from store import FrameStore

POLICY = {"on": 0.5, "off": 0.35, "smoothing": 1, "merge_gap_s": 1, "min_duration_s": 1}
CHUNK = 64


@dataclass(frozen=True)
class Prediction:
    """Windows of one video: when each begins in s, logits [windows, labels], kept steps [windows]."""

    video: Video
    starts: np.ndarray
    logits: np.ndarray
    kept: np.ndarray

    @property
    def scores(self) -> np.ndarray:
        return 1 / (1 + np.exp(-self.logits.clip(-60, 60)))


def predict_all(
    model: Network, store: FrameStore, videos: list[Video], fps: float, stride: int, how: str
) -> list[Prediction]:
    """Short clips with windows half a clip apart, long ones with `stride` frames. `how`: see
    parse_sampling."""
    frames = model.description["options"]["frames"]
    slots = {id(video): i for i, video in enumerate(store.videos)}
    starts = [
        first_frames(v, frames, fps, stride if v.dataset == "fir-action" else frames // 2) / fps
        for v in videos
    ]
    windows = [[store.window(slots[id(v)], s, frames, fps) for s in at] for v, at in zip(videos, starts)]
    logits, kept = predict(model, store, np.concatenate([np.stack(w) for w in windows]), how)
    edges = np.cumsum([len(at) for at in starts])[:-1]
    return [Prediction(*of) for of in zip(videos, starts, np.split(logits, edges), np.split(kept, edges))]


def first_frames(video: Video, frames: int, fps: float, stride: int) -> np.ndarray:
    """Full windows, and one that ends with the video where it reaches half a stride further; one padded where
    none fits."""
    available = round(video.duration_s * fps)
    firsts = list(range(0, max(1, available - frames + 1), stride))
    if available > frames and available - frames - firsts[-1] >= max(1, stride // 2):
        firsts.append(available - frames)
    return np.array(firsts)


@torch.no_grad()
def predict(
    model: Network, store: FrameStore, windows: np.ndarray, how: str
) -> tuple[np.ndarray, np.ndarray]:
    """Windows [n, t] as the product sees them: whole frames, no augmentation. `how`: as parse_sampling takes
    it, or `uniform:STRIDE`."""
    size = model.description["options"]["height"]
    logits, kept = [], []
    for i in range(0, len(windows), CHUNK):
        clips = store.clips(windows[i : i + CHUNK]).float().div_(255)
        clips = F.interpolate(clips, (size, size), mode="bilinear", antialias=True, align_corners=False)
        record: list = []
        steps = clips.shape[1] // 2
        if how.startswith("uniform:"):
            stride = int(how.partition(":")[2])
            given, steps = model.strided(clips, stride), -(-steps // stride)
        else:
            given = model(clips, parse_sampling(how, record))
        logits.append(given.float().cpu())
        kept.append(record[0][0].cpu() if record else torch.full((len(clips),), steps))
    return torch.cat(logits).numpy(), torch.cat(kept).numpy()


def figures(
    predictions: list[Prediction], fps: float, stride: int, frames: int, policy: dict = POLICY
) -> dict:
    """Per dataset, as `actionstream evaluate` names them, and per indoor label the AUC over windows."""
    result: dict = {}
    of = lambda dataset: [p for p in predictions if p.video.dataset == dataset]
    if fights := of("fight-surv"):
        scores = np.array([p.scores[:, INDEX["fight"]].mean() for p in fights])
        truth = np.array([p.video.segments[0].label == "fight" for p in fights])
        best = max((((scores > c) == truth).mean() for c in scores), default=0)
        accuracy = float(((scores > 0.5) == truth).mean())
        result["fight-surv"] = {
            "n": len(truth),
            "auc": auc(scores, truth),
            "accuracy": accuracy,
            "best_accuracy": float(best),
        }
    if pairs := [p for p in of("ut-interaction") if p.video.segments[0].label != "none"]:
        columns = [INDEX[name] for name in INTERACTIONS]
        guesses = [INTERACTIONS[int(p.scores[:, columns].mean(0).argmax())] for p in pairs]
        wrong = [
            (p.video.segments[0].label, g) for p, g in zip(pairs, guesses) if g != p.video.segments[0].label
        ]
        result["ut-interaction"] = {"n": len(pairs), "top1": 1 - len(wrong) / len(pairs), "wrong": wrong}
    if rooms := of("fir-action"):
        result["fir-action"] = indoor_figures(rooms, frames / fps, stride / fps, policy)
    kept = {p.video.dataset: np.concatenate([q.kept for q in of(p.video.dataset)]) for p in predictions}
    result["kept"] = {name: round(float(counts.mean()), 2) for name, counts in kept.items()}
    return result


def indoor_figures(rooms: list[Prediction], clip_s: float, stride_s: float, policy: dict) -> dict:
    falls = []
    for p in rooms:
        found = episodes(p.starts, p.scores[:, INDEX["fall"]], policy, clip_s, stride_s)
        falls.append(match(found, [(s.start_s, s.end_s) for s in p.video.segments if s.label == "falling"]))
    scores, targets = window_table(rooms, clip_s)
    curves = {}
    for name in INDOOR:
        known = targets[:, INDEX[name]] != UNKNOWN
        curves[name] = round(auc(scores[known, INDEX[name]], targets[known, INDEX[name]] == 1), 3)
    return {**add_up(falls, sum(p.video.duration_s for p in rooms) / 3600), "window_auc": curves}


def window_table(predictions: list[Prediction], clip_s: float) -> tuple[np.ndarray, np.ndarray]:
    """(scores, targets), both [windows, labels]."""
    targets = [targets_of(p.video, start, start + clip_s) for p in predictions for start in p.starts]
    return np.concatenate([p.scores for p in predictions]), np.stack(targets).reshape(-1, len(LABELS))


def auc(scores: np.ndarray, truth: np.ndarray) -> float:
    positive, negative = scores[truth], scores[~truth]
    if not len(positive) or not len(negative):
        return float("nan")
    wins = (positive[:, None] > negative[None]).mean() + 0.5 * (positive[:, None] == negative[None]).mean()
    return float(wins)
