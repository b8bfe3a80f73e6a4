"""Training clips: balanced draws of windows, and their augmentation."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from data import Video
from labels import INDEX, INTERACTIONS, targets_of


# Pools whose clips mean the same played backwards.
REVERSIBLE = ("fight", "no_fight", "none", "handshake", "hug")


class ClipSampler:
    """Draws batches with fixed shares of the datasets, so that no dataset, label or camera dominates."""

    def __init__(self, videos: list[Video], frames: int, fps: float, size: int, seed: int):
        self.frames, self.fps, self.size = frames, fps, size
        self.rng = np.random.default_rng(seed)
        pick = lambda dataset, labels: [  # noqa: E731
            v for v in videos if v.dataset == dataset and (labels is None or v.segments[0].label in labels)
        ]
        self.pools = {
            "fight": pick("fight-surv", ["fight"]),
            "no_fight": pick("fight-surv", ["no_fight"]),
            "none": pick("ut-interaction", ["none"]),
            **{name: pick("ut-interaction", [name]) for name in INTERACTIONS},
            "fir": pick("fir-action", None),
            "scene": pick("scene", None),
        }
        self.turn: dict[str, list] = {}

    def batch(self, plan: list[str], before: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """Grey clips [n, before + t, h, w] in [0, 1] and targets [n, labels]; `plan` names a pool for each clip, `before` is
        how many frames of the stream to show ahead of it."""
        clips, targets = zip(*(self.clip(name, before) for name in plan))
        return self.other_backgrounds(torch.stack(clips)), torch.from_numpy(np.stack(targets))

    def other_backgrounds(self, clips: torch.Tensor) -> torch.Tensor:
        """Half of the clips, seen through a still of another: a camera's background then tells less (background erasing,
        Wang et al. 2021, "Removing the background by adding the background")."""
        stills = clips[:, 0].clone()
        for i in range(len(clips)):
            if self.rng.random() < 0.5:
                share = self.rng.uniform(0, 0.4)
                clips[i].lerp_(stills[self.rng.integers(len(clips))], share)
        return clips

    def clip(self, name: str, before: int) -> tuple[torch.Tensor, np.ndarray]:
        speed = math.exp(self.rng.uniform(-0.25, 0.25))
        fps = self.fps / speed
        span = self.frames / fps
        if name.startswith(("fir", "scene")):
            video, start = self.timed_window(name, span)
        else:
            video = self.next_video(name)
            # Actions lie around the middle of their clip: so do windows, though every place has its chance.
            free = max(0.0, video.duration_s - span)
            start = max(0.0, self.rng.triangular(-0.2, free / 2, free + 0.2))
        target = targets_of(video, start, start + span)
        pixels = video.read(start - before / fps, before + self.frames, fps)
        if name in REVERSIBLE and self.rng.random() < 0.4:
            pixels = pixels[::-1]
        if self.rng.random() < 0.04:
            pixels = np.repeat(pixels[:1], len(pixels), 0)
            target = np.zeros_like(target)
            target[INDEX["background"]] = 1
        return self.augment(pixels), target

    def next_video(self, name: str) -> Video:
        """Without replacement: every clip of a pool once a round."""
        if not self.turn.get(name):
            deck = self.pools[name]
            self.turn[name] = [deck[i] for i in self.rng.permutation(len(deck))]
        return self.turn[name].pop()

    def timed_window(self, name: str, span: float) -> tuple[Video, float]:
        """`pool:label` centres on a segment of that label, give or take; where there is none, and for `pool:`, anywhere."""
        pool, _, label = name.partition(":")
        found = [(v, s) for v in self.pools[pool] for s in v.segments if s.label == label]
        if not found:
            video = self.pools[pool][self.rng.integers(len(self.pools[pool]))]
            return video, self.rng.uniform(0, max(0.1, video.duration_s - span))
        video, segment = found[self.rng.integers(len(found))]
        free = max(0.0, segment.end_s - segment.start_s - span)
        start = segment.start_s + self.rng.uniform(-0.4 * span, free + 0.4 * span)
        return video, max(0.0, min(start, video.duration_s - span))

    def augment(self, pixels: np.ndarray) -> torch.Tensor:
        rng = self.rng
        x = torch.from_numpy(np.ascontiguousarray(pixels)).float().div_(255)
        scale = math.sqrt(rng.uniform(0.55, 1.0))
        aspect = math.exp(rng.uniform(-0.25, 0.25))
        sx, sy = min(1.0, scale * aspect), min(1.0, scale / aspect)
        cx, cy = rng.uniform(-1, 1) * (1 - sx), rng.uniform(-1, 1) * (1 - sy)
        angle = rng.normal(0, 0.08)
        flip = -1 if rng.random() < 0.5 else 1
        matrix = torch.tensor(
            [
                [flip * sx * math.cos(angle), -sy * math.sin(angle), cx],
                [flip * sx * math.sin(angle), sy * math.cos(angle), cy],
            ],
            dtype=torch.float32,
        )
        grid = F.affine_grid(matrix[None], [1, 1, self.size, self.size], align_corners=False)
        x = F.grid_sample(x[None], grid, padding_mode="reflection", align_corners=False)[0]
        gain, shift = math.exp(rng.normal(0, 0.15)), rng.normal(0, 0.08)
        x = (x - x.mean()) * gain + x.mean() + shift
        if rng.random() < 0.5:
            x = x + torch.from_numpy(rng.standard_normal(x.shape, np.float32)) * (rng.random() * 0.02)
        if rng.random() < 0.2:
            self.cut_out(x)
        return x.clamp_(0, 1)

    def cut_out(self, x: torch.Tensor) -> None:
        h, w = (self.rng.uniform(0.15, 0.4, 2) * self.size).astype(int)
        top, left = self.rng.integers(self.size - h), self.rng.integers(self.size - w)
        x[:, top : top + h, left : left + w] = self.rng.random()


def test_pixels(video: Video, start_s: float, frames: int, fps: float, size: int) -> torch.Tensor:
    """A window as the product sees it: the whole picture, no augmentation."""
    x = torch.from_numpy(np.ascontiguousarray(video.read(start_s, frames, fps))).float().div_(255)
    return F.interpolate(x[None], (size, size), mode="bilinear", antialias=True, align_corners=False)[0]
