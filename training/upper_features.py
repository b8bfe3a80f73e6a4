"""Features of augmented clips at the last node that the last stage leaves as it is (upper.py), collected once
and kept, and what the teachers say of them."""

import argparse
import math
from pathlib import Path

import numpy as np
import torch

from arithmetic import sampling_with
from augment import augment, mix_up
from clips import ClipSampler
from data import load_scenes, load_videos
from labels import UNKNOWN
from network import Network, encode, load_checkpoint
from scene_windows import SceneSampler
from sgs import Sampling, pool_rows, rows_of
from store import FrameStore
from time_shares import time_shares
from train import TEMPORAL_STRIDE, resize

# Clips that are collected together.
TOGETHER = 16
# Share of clips that stay dense, so that the network still runs without SGS.
DENSE_SHARE = 0.15


def features_of(model: Network, args: argparse.Namespace, kind: str) -> list[dict]:
    """From the run's folder where they are there."""
    kept = args.out / f"{kind}.pt"
    if not kept.exists():
        replace(kept, collect(model, args, kind))
    return torch.load(kept, weights_only=False)


@torch.no_grad()
def collect(model: Network, args: argparse.Namespace, kind: str) -> list[dict]:
    """Augmented clips: features `at` [channels, steps, h, w], `counts` [kept] of the steps at the cut,
    `target` [labels], and of real ones `taught` [labels], the mean logits of the dense network and of the
    teachers."""
    real = kind == "real"
    videos = (
        load_videos(args.data, args.cache, "shared-train") if real else load_scenes(args.scenes, args.cache)
    )
    teachers = [load_checkpoint(path) for path in args.teachers] if real else []
    options, cut, (frozen, learning) = model.description["options"], model.cut(), halves(model, args.after)
    size = max([options["height"], *(teacher.description["options"]["height"] for teacher in teachers)])
    store = FrameStore(videos, torch.device("cpu"))
    sampler = (ClipSampler if real else SceneSampler)(store, videos, options["frames"], args.fps, args.seed)
    rng = np.random.default_rng(args.seed)
    items: list[dict] = []
    count = args.real_clips if real else args.scene_clips
    while len(items) < count:
        context = (len(items) // TOGETHER) % 2
        index, targets = sampler.batch(TOGETHER, before=context * TEMPORAL_STRIDE)
        clips, targets = (
            augment(store.clips(index), size, rng.uniform(*args.strength)),
            torch.from_numpy(targets),
        )
        if real:
            clips, others, share = mix_up(clips, targets, args.mixing)
            targets = torch.where((targets == others) | (share[:, None] == 1), targets, UNKNOWN)
        grey = resize(clips, options["height"])
        features = model.run(model.halves()[0], {"input": encode(grey, options["input"])})[cut["input"]][
            :, :, context:
        ]
        taught = None
        if real:
            every = torch.ones(TOGETHER, features.shape[2])
            dense = model.run(frozen, {cut["name"]: features}, time_shares(model.description, every))[
                args.after
            ]
            own = model.above(learning, args.after, dense, every)
            taught = mean_logits(own, teachers, clips[:, context * TEMPORAL_STRIDE :])
        for i in range(TOGETHER):
            width = args.delta * math.exp(rng.uniform(*args.delta_spread))
            how = None if rng.random() < DENSE_SHARE else sampling_with(args, width)
            at, counts = kept_of(model, frozen, features[i : i + 1], how, args.after)
            item = {"at": at[0].half(), "counts": counts[0], "target": targets[i].clone(), "real": real}
            items.append(item | ({"taught": taught[i].clone()} if real else {}))
        if len(items) % 256 == 0:
            print(f"{kind}: {len(items)} of {count} clips", flush=True)
    return items


def mean_logits(own: torch.Tensor, teachers: list[Network], clips: torch.Tensor) -> torch.Tensor:
    """[n, labels]: the mean of `own` and of what the teachers say of the very clips [n, t, h, w]."""
    return torch.stack(
        [own, *(teacher(resize(clips, teacher.description["options"]["height"])) for teacher in teachers)]
    ).mean(0)


def halves(model: Network, after: str) -> tuple[list[dict], list[dict]]:
    """What stays and what learns, of the nodes behind SGS; `after` is the last that stays."""
    upper = model.halves()[1]
    at = next(i for i, node in enumerate(upper) if node["name"] == after) + 1
    return upper[:at], upper[at:]


def kept_of(
    model: Network, frozen: list[dict], features: torch.Tensor, how: Sampling | None, after: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Of one clip: what the node `after` gives, and the input steps that each kept step stands for."""
    cut = model.cut()
    kept, counts = features, torch.ones(1, features.shape[2])
    if how is not None:
        [(_, plans, counts)] = rows_of(model.embed(cut, features), how, cut["embedding"].get("top", 1))
        kept = pool_rows(plans, features)
    return model.run(frozen, {cut["name"]: kept}, time_shares(model.description, counts))[after], counts


def replace(file: Path, state: object) -> None:
    torch.save(state, file.with_suffix(".partial"))
    file.with_suffix(".partial").rename(file)
