"""Training clips of the study: one small, cheap recipe for all networks, whatever the shipped model's recipe
becomes."""

import hashlib
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from data import Video
from labels import INTERACTIONS, targets_of

MARGIN = 8
INDOOR_TURNS = ("falling", "standup", "falling", "sitdown", "lying")
INDOOR_REST = ("walk", "sit", "fallen", "")


class StudyClips:
    """Balanced draws from videos that are held small in memory: [frames, size + MARGIN, size + MARGIN]
    uint8."""

    def __init__(self, videos: list[Video], cache: Path, frames: int, fps: float, size: int):
        self.frames, self.fps, self.size = frames, fps, size
        for video in videos:
            video.frames = small_frames(video, cache, size + MARGIN)
        of = lambda label: [v for v in videos if v.segments[0].label == label and v.dataset != "fir-action"]
        self.pools = {label: of(label) for label in ("fight", "no_fight", "none", *INTERACTIONS)}
        self.indoor = [v for v in videos if v.dataset == "fir-action"]

    def batch(self, step: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """16 clips [n, t, h, w] in [0, 1] and targets: 3 fights, 3 of none, 6 interactions, 1 none, 3 from
        indoors."""
        names = ["fight"] * 3 + ["no_fight"] * 3 + [*INTERACTIONS, "none"]
        drawn = [self.short_clip(name, rng) for name in names]
        turns = (INDOOR_TURNS[step % 5], INDOOR_TURNS[(step + 1) % 5], INDOOR_REST[step % 4])
        drawn += [self.indoor_clip(label, rng) for label in turns]
        clips, targets = zip(*drawn)
        return torch.from_numpy(np.stack(clips)).float().div_(255), torch.from_numpy(np.stack(targets))

    def short_clip(self, name: str, rng: np.random.Generator):
        pool = self.pools[name]
        video = pool[rng.integers(len(pool))]
        fps = self.speed(rng)
        free = max(0.0, video.duration_s - self.frames / fps)
        return self.window(video, max(0.0, rng.triangular(-0.2, free / 2, free + 0.2)), fps, rng)

    def indoor_clip(self, label: str, rng: np.random.Generator):
        fps = self.speed(rng)
        span = self.frames / fps
        found = [(v, s) for v in self.indoor for s in v.segments if s.label == label]
        if found:
            video, segment = found[rng.integers(len(found))]
            free = max(0.0, segment.end_s - segment.start_s - span)
            start = segment.start_s + rng.uniform(-0.4 * span, free + 0.4 * span)
        else:
            video = self.indoor[rng.integers(len(self.indoor))]
            start = rng.uniform(0, video.duration_s)
        return self.window(video, max(0.0, min(start, video.duration_s - span)), fps, rng)

    def speed(self, rng: np.random.Generator) -> float:
        return self.fps / math.exp(rng.uniform(-0.25, 0.25))

    def window(self, video: Video, start_s: float, fps: float, rng: np.random.Generator):
        """A crop of 70 % to all of the picture, perhaps mirrored, with another gain and brightness."""
        pixels = video.frames[video.window(start_s, self.frames, fps)]
        side = round((self.size + MARGIN) * math.sqrt(rng.uniform(0.7, 1.0)))
        top, left = rng.integers(self.size + MARGIN - side + 1, size=2)
        cut = torch.from_numpy(np.ascontiguousarray(pixels[:, top : top + side, left : left + side])).float()
        cut = F.interpolate(cut[None], (self.size, self.size), mode="bilinear", align_corners=False)[
            0
        ].numpy()
        cut = cut[:, :, ::-1] if rng.random() < 0.5 else cut
        gain, shift = math.exp(rng.normal(0, 0.15)), rng.normal(0, 12)
        mean = cut.mean()
        clip = np.clip((cut - mean) * gain + mean + shift, 0, 255).astype(np.uint8)
        return clip, targets_of(video, start_s, start_s + self.frames / fps)


def small_frames(video: Video, cache: Path, side: int) -> np.ndarray:
    stored = cache / f"{hashlib.sha1(f'{video.path} {side}'.encode()).hexdigest()}.npy"
    if not stored.exists():
        partial = stored.with_suffix(".partial.npy")
        np.save(partial, shrink(video.frames, side))
        partial.rename(stored)
    return np.load(stored)


def shrink(frames: np.ndarray, side: int) -> np.ndarray:
    """[n, H, W] -> [n, side, side] uint8, each pixel the mean of what it covers."""
    parts = []
    for i in range(0, len(frames), 256):
        part = torch.from_numpy(frames[i : i + 256].astype(np.float32))[:, None]
        parts.append(F.interpolate(part, (side, side), mode="area").round().byte().numpy()[:, 0])
    return np.concatenate(parts)
