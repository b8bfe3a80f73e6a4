"""All frames of all videos on one device, one after another: a batch of clips is one gather."""

import numpy as np
import torch

from data import CACHE_SIZE, Video


class FrameStore:
    """[frames, 176, 176] uint8, and where each video begins. 2.9 GB for the training split and 650 scenes."""

    def __init__(self, videos: list[Video], device: torch.device):
        self.videos = videos
        counts = [len(video.frames) for video in videos]
        self.first = np.concatenate([[0], np.cumsum(counts)])
        self.frames = torch.empty(sum(counts), CACHE_SIZE, CACHE_SIZE, dtype=torch.uint8, device=device)
        for video, start, count in zip(videos, self.first, counts):
            self.frames[start : start + count] = torch.from_numpy(np.array(video.frames)).to(device)

    def window(self, video: int, start_s: float, count: int, fps: float) -> np.ndarray:
        """Indices in `frames` of Video.window."""
        return self.first[video] + self.videos[video].window(start_s, count, fps)

    def clips(self, index: np.ndarray) -> torch.Tensor:
        """[n, t] -> [n, t, 176, 176] uint8 on the store's device."""
        return self.frames[torch.from_numpy(index).to(self.frames.device)]
