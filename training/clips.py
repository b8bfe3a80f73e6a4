"""Which windows a training batch is made of: balanced over datasets, labels and videos."""

import math

import numpy as np

from data import Video
from labels import INDEX, INTERACTIONS, targets_of
from store import FrameStore

# Share of a batch each pool gives. `fir:LABEL` and `scene:LABEL` are windows about a segment of that label,
# `fir:` anywhere.
SHARES = {
    "fight": 17,
    "no_fight": 17,
    "none": 5,
    **dict.fromkeys(INTERACTIONS, 4.5),
    "fir:falling": 6,
    "fir:standup": 3.5,
    "fir:sitdown": 3.5,
    "fir:lying": 3,
    "fir:walk": 3,
    "fir:sit": 1,
    "fir:active": 1,
    "fir:sleeping": 1,
    "fir:fallen": 1,
    "fir:": 5,
    "scene:fight": 1,
    **{f"scene:{name}": 0.7 for name in INTERACTIONS},
    "scene:falling": 1,
    "scene:standup": 0.6,
    "scene:sitdown": 0.6,
    "scene:lying": 0.6,
    "scene:walk": 1,
    "scene:": 2,
}
# Pools whose clips mean the same played backwards.
REVERSIBLE = ("fight", "no_fight", "none", "handshake", "hug")
REVERSED_SHARE = 0.3
STILL_SHARE = 0.04
SPEED_SPREAD = 0.3


class ClipSampler:
    """Draws windows of `frames` frames at about `fps`, each played up to 1.35 times slower or faster."""

    def __init__(
        self,
        store: FrameStore,
        videos: list[Video],
        frames: int,
        fps: float,
        seed: int,
        scene_weight: float = 1.0,
    ):
        self.store, self.frames, self.fps = store, frames, fps
        self.rng = np.random.default_rng(seed)
        slots = {id(video): i for i, video in enumerate(store.videos)}
        self.pools: dict[str, list[tuple[int, Video]]] = {}
        for video in videos:
            label = video.segments[0].label if video.segments else ""
            pool = {"fir-action": "fir", "scene": "scene"}.get(video.dataset, label)
            self.pools.setdefault(pool, []).append((slots[id(video)], video))
        self.segments = {
            f"{pool}:{label}": [
                (slot, v, s) for slot, v in self.pools[pool] for s in v.segments if s.label == label
            ]
            for pool in ("fir", "scene")
            if pool in self.pools
            for label in {s.label for _, v in self.pools[pool] for s in v.segments}
        }
        names = [name for name in SHARES if name.partition(":")[0] in self.pools]
        weights = np.array(
            [SHARES[name] * (scene_weight if name.startswith("scene") else 1) for name in names]
        )
        self.names, self.weights = names, weights / weights.sum()
        self.turn: dict[str, list] = {}

    def batch(self, size: int, before: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """(indices of frames [size, before + frames], targets [size, labels]); `before` is how many frames of
        the stream to show ahead of each clip."""
        names = self.rng.choice(self.names, size, p=self.weights)
        windows, targets = zip(*(self.clip(name, before) for name in names))
        return np.stack(windows), np.stack(targets)

    def clip(self, name: str, before: int) -> tuple[np.ndarray, np.ndarray]:
        fps = self.fps * math.exp(self.rng.uniform(-SPEED_SPREAD, SPEED_SPREAD))
        span = self.frames / fps
        slot, video, start = self.timed_window(name, span) if ":" in name else self.short_window(name, span)
        target = targets_of(video, start, start + span)
        window = self.store.window(slot, start - before / fps, before + self.frames, fps)
        if name in REVERSIBLE and self.rng.random() < REVERSED_SHARE:
            window = window[::-1]
        if self.rng.random() < STILL_SHARE:
            window = np.full_like(window, window[0])
            target = np.zeros_like(target)
            target[INDEX["background"]] = 1
        return window, target

    def short_window(self, name: str, span: float) -> tuple[int, Video, float]:
        """Every clip of a pool once a round. Actions lie around the middle of their clip: so do windows."""
        if not self.turn.get(name):
            deck = self.pools[name]
            self.turn[name] = [deck[i] for i in self.rng.permutation(len(deck))]
        slot, video = self.turn[name].pop()
        free = max(0.0, video.duration_s - span)
        return slot, video, max(0.0, self.rng.triangular(-0.2, free / 2, free + 0.2))

    def timed_window(self, name: str, span: float) -> tuple[int, Video, float]:
        """About a segment, give or take; anywhere where there is none of the name."""
        found = self.segments.get(name)
        if not found:
            pool = self.pools[name.partition(":")[0]]
            slot, video = pool[self.rng.integers(len(pool))]
            return slot, video, self.rng.uniform(0, max(0.1, video.duration_s - span))
        slot, video, segment = found[self.rng.integers(len(found))]
        free = max(0.0, segment.end_s - segment.start_s - span)
        start = segment.start_s + self.rng.uniform(-0.4 * span, free + 0.4 * span)
        return slot, video, max(0.0, min(start, video.duration_s - span))
