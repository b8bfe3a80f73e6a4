"""Windows of scenes about the times when an action begins or ends, with targets that say how much of it they
show."""

import math

import numpy as np

from data import Video
from labels import INDEX, LABELS, SCENE, UNKNOWN
from store import FrameStore

# A window is half yes when it shows this share of its own length of the action, or of the action where that
# is short, ...
HALF_OF_WINDOW, HALF_OF_ACTION = 0.5, 0.7
# ... and wholly so when it shows this many seconds more: half a stride of the shipped model.
RAMP_S = 0.3
# The others are anywhere.
NEAR_SHARE = 0.75
# How often windows lie about an action of this label, against the others.
FOCUS = {"fight": 4.0, "falling": 4.0, "walk": 2.0, "standup": 1.5}
SPEED_SPREAD = 0.1


class SceneSampler:
    """Draws windows of `frames` frames at about `fps`."""

    def __init__(self, store: FrameStore, videos: list[Video], frames: int, fps: float, seed: int):
        self.store, self.videos, self.frames, self.fps = store, videos, frames, fps
        self.rng = np.random.default_rng(seed)
        # By label: (video, beginning, end or middle of an action in s).
        self.times: dict[str, list[tuple[int, float]]] = {}
        for slot, video in enumerate(videos):
            for s in (s for s in video.segments if s.label in SCENE):
                moments = (s.start_s, s.end_s, (s.start_s + s.end_s) / 2)
                self.times.setdefault(s.label, []).extend((slot, at) for at in moments)
        self.names = sorted(self.times)
        weights = np.array([FOCUS.get(name, 1.0) for name in self.names])
        self.weights = weights / weights.sum()

    def batch(self, size: int, before: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """(indices of frames [size, before + frames], soft targets [size, labels]); `before` as in
        ClipSampler."""
        windows, targets = zip(*(self.clip(before) for _ in range(size)))
        return np.stack(windows), np.stack(targets)

    def clip(self, before: int) -> tuple[np.ndarray, np.ndarray]:
        fps = self.fps * math.exp(self.rng.uniform(-SPEED_SPREAD, SPEED_SPREAD))
        span = self.frames / fps
        if self.rng.random() < NEAR_SHARE:
            near = self.times[self.names[self.rng.choice(len(self.names), p=self.weights)]]
            slot, middle = near[self.rng.integers(len(near))]
            start = middle - span / 2 + self.rng.uniform(-1, 1)
        else:
            slot = int(self.rng.integers(len(self.videos)))
            start = self.rng.uniform(0, max(0.1, self.videos[slot].duration_s - span))
        video = self.videos[slot]
        start = max(0.0, min(start, video.duration_s - span))
        return self.store.window(slot, start - before / fps, before + self.frames, fps), soft_targets(
            video, start, start + span
        )


def soft_targets(video: Video, start_s: float, end_s: float) -> np.ndarray:
    """[labels] in 0..1, 0.5 where the middle of the window is where a long action begins or ends, as
    src/events/clip-slot.ts assumes of a classifier; UNKNOWN where blows may be called a fight or not."""
    target = np.zeros(len(LABELS), np.float32)
    for name in SCENE:
        for low, high in joined([(s.start_s, s.end_s) for s in video.segments if s.label == name]):
            shared = min(end_s, high) - max(start_s, low)
            half = min(HALF_OF_WINDOW * (end_s - start_s), HALF_OF_ACTION * (high - low))
            share = np.clip(0.5 + (shared - half) / (2 * RAMP_S), 0, 1) if shared > 0 else 0
            target[INDEX[SCENE[name]]] = max(target[INDEX[SCENE[name]]], share)
    target[INDEX["background"]] = 1 - target.max()
    blows = [INDEX[name] for name in ("kick", "punch", "push")]
    if target[INDEX["fight"]] > 0:
        target[blows] = UNKNOWN
    elif (target[blows] > 0).any():
        target[INDEX["fight"]] = UNKNOWN
    return target


def joined(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """People who do the same at the same time are one action of the picture."""
    result: list[tuple[float, float]] = []
    for low, high in sorted(spans):
        if result and low <= result[-1][1]:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return result
