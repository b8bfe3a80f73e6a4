"""Clips of the data folder: manifest rows, decoded grey frames in a cache, and what is known of each
window."""

import csv
import hashlib
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

CACHE_SIZE = 176
MAX_FPS = 30.0
DATASETS = ("fight-surv", "ut-interaction", "fir-action")
FOLDS = 5


@dataclass(frozen=True)
class Segment:
    label: str
    start_s: float
    end_s: float


@dataclass
class Video:
    dataset: str
    path: str
    group: str
    split: str
    fps: float
    segments: list[Segment] = field(default_factory=list)
    frames: np.ndarray | None = None

    @property
    def duration_s(self) -> float:
        return len(self.frames) / self.fps

    def window(self, start_s: float, count: int, fps: float) -> np.ndarray:
        """Indices of `count` frames at `fps` from start_s; past the end the last frame repeats, as the
        product pads."""
        at = np.floor((start_s + np.arange(count) / fps) * self.fps + 0.5).astype(np.int64)
        return np.clip(at, 0, len(self.frames) - 1)


def load_videos(data: Path, cache: Path, split: str) -> list[Video]:
    """All videos of a split with frames [n, 176, 176] uint8, memory-mapped. Decodes what the cache lacks."""
    videos: dict[str, Video] = {}
    with (data / "manifest.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["dataset"] not in DATASETS or row["split"] != split:
                continue
            numerator, denominator = row["fps"].split("/")
            fps = min(int(numerator) / int(denominator), MAX_FPS)
            path = row["path"]
            video = videos.setdefault(path, Video(row["dataset"], path, row["group"], split, fps))
            whole = not row["start_s"]
            span = (0.0, float("inf")) if whole else (float(row["start_s"]), float(row["end_s"]))
            video.segments.append(Segment(row["label"], *span))
    for video in videos.values():
        video.frames = decode(data / video.path, cache, video.fps)
    return list(videos.values())


def load_scenes(folder: Path, cache: Path) -> list[Video]:
    """Videos of tools/scene, found anywhere under `folder`, with all the actions of the truth beside each."""
    videos = []
    for truth_file in sorted(folder.rglob("*.json")):
        truth, path = json.loads(truth_file.read_text()), truth_file.with_suffix(".mp4")
        segments = [Segment(a["label"], a["start_s"], a["end_s"]) for a in truth["actions"]]
        video = Video("scene", path.name, f"scene-{truth['seed']}", "scene", truth["fps"], segments)
        video.frames = decode(path, cache, video.fps)
        videos.append(video)
    return videos


def decode(path: Path, cache: Path, fps: float) -> np.ndarray:
    """Grey = 0.299 R + 0.587 G + 0.114 B, the picture stretched to the cache's size, as the product stretches
    it."""
    cache.mkdir(parents=True, exist_ok=True)
    stored = (
        cache
        / f"{hashlib.sha1(f'{path.parent.name}/{path.name} {CACHE_SIZE} {fps}'.encode()).hexdigest()}.npy"
    )
    if not stored.exists():
        filters = f"fps={fps:.6f},scale={CACHE_SIZE}:{CACHE_SIZE}:flags=area"
        command = ["ffmpeg", "-v", "error", "-threads", "1", "-i", path, "-vf", filters]
        command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        raw = subprocess.run(command, check=True, capture_output=True).stdout
        rgb = np.frombuffer(raw, np.uint8).reshape(-1, CACHE_SIZE, CACHE_SIZE, 3)
        grey = np.empty(rgb.shape[:3], np.uint8)
        for i, frame in enumerate(rgb):
            grey[i] = frame @ np.array([0.299, 0.587, 0.114], np.float32) + 0.5
        partial = stored.with_suffix(".partial.npy")
        np.save(partial, grey)
        partial.rename(stored)
    return np.load(stored, mmap_mode="r")


def fold_of(videos: list[Video]) -> dict[str, int]:
    """Group -> fold: groups of a dataset, largest first, each to the fold that holds fewest of its clips so
    far."""
    folds: dict[str, int] = {}
    for dataset in DATASETS:
        sizes: dict[str, int] = {}
        for video in videos:
            if video.dataset == dataset:
                sizes[video.group] = sizes.get(video.group, 0) + weight_of(video)
        filled = [0] * FOLDS
        for group in sorted(sizes, key=lambda g: (-sizes[g], g)):
            folds[group] = filled.index(min(filled))
            filled[folds[group]] += sizes[group]
    return folds


def weight_of(video: Video) -> int:
    """What a video counts for when folds are filled: long ones by their falls, clips without an interaction
    nothing."""
    if video.dataset != "fir-action":
        return int(video.segments[0].label != "none")
    return 1 + 10 * sum(segment.label == "falling" for segment in video.segments)
