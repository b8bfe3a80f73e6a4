"""Golden logits of tiny S3D family members, computed by PyTorch from the papers' layer table.

    python tools/goldens/make_network_goldens.py        # needs torch, safetensors

Written from the table (S3D: Xie et al., ECCV 2018, figures 2 and 6; gating: section 5.2), not from our node
list: the only things shared with src/inference are tensor names and the formula of weights and pixels
(golden_weights.py). `ordered` and `nearest_complete` are written from docs/adr/0006 and 0015, the arithmetic
of few steps from 0027. Everything is computed in float64; cases with SGS are drawn until float32 gives the
same plan and the same logits within 2e-5, and no step lies near an edge of its bin. Writes
test/fixtures/goldens/network/{cases.json,logits.safetensors}."""

import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import golden_weights
import make_sgs_goldens

OUT = pathlib.Path(__file__).resolve().parents[2] / "test/fixtures/goldens/network"
MEAN = [0.43216, 0.394666, 0.37645]
STD = [0.22803, 0.22145, 0.216989]
MIXED = {
    "3b": (64, (96, 128), (16, 32), 32),
    "3c": (128, (128, 192), (32, 96), 64),
    "4b": (192, (96, 208), (16, 48), 64),
    "4c": (160, (112, 224), (24, 64), 64),
    "4d": (128, (128, 256), (24, 64), 64),
    "4e": (112, (144, 288), (32, 64), 64),
    "4f": (256, (160, 320), (32, 128), 128),
    "5b": (256, (160, 320), (32, 128), 128),
    "5c": (384, (192, 384), (48, 128), 128),
}
STEM_STEPS = {"flat": 1, "dense": 3, "dense_5": 5, "dense_7": 7}
# Layers that can look along time, bottom first.
TEMPORAL = ["Conv_1a", "Conv_2c", *(f"Mixed_{block}" for block in MIXED)]


def kernel_form(variant, layer):
    """3d: k×k×k. sep: 1×k×k then k×1×1. 2d: 1×k×k."""
    base, _, cut = variant.partition(":")
    if base == "i3d":
        return "3d"
    if base == "i2d":
        return "2d"
    if base in ("s3d", "s3d-g", "s3d-4branch"):
        return "sep"
    at = TEMPORAL.index(layer)
    if base == "fast-s3d":
        return "sep" if at >= TEMPORAL.index("Mixed_5b") else "2d"
    if base == "top-heavy-s3d":
        return "sep" if at >= TEMPORAL.index(cut) else "2d"
    if base == "top-heavy-i3d":
        return "3d" if at >= TEMPORAL.index(cut) else "2d"
    assert base == "bottom-heavy-i3d", base
    return "3d" if at <= TEMPORAL.index(cut) else "2d"


class RoundingDecides(Exception):
    """A row of the plan lives by the last bit of an embedding: engines could not agree. Another seed,
    then."""


# In bins: no step may lie nearer to an edge, but for those that lie on one by definition (the first of
# `ordered`, the farthest).
EDGE_MARGIN = 1e-3


def plan_reference(embeddings, steps, sampler):
    """The official arithmetic. What its float32 leaves to chance must not matter: see make_sgs_goldens.py."""
    bins = sampler.get("bins", steps)
    arguments = (bins, sampler["kernel"], sampler["distance"])
    plan = make_sgs_goldens.plan(embeddings, *arguments, np.float64)
    single = make_sgs_goldens.plan(embeddings, *arguments, np.float32)
    if sampler["kernel"] == "linear" and plan.shape != single.shape:
        raise RoundingDecides
    distances = make_sgs_goldens.distances(embeddings, sampler["distance"], np.float64)
    farthest = distances == distances.max()
    place = distances[~farthest] * bins / distances.max()
    if (
        len(place) == 0
        or np.abs(place - np.round(place)).min() < EDGE_MARGIN
        or plan[-1, farthest].min() == 0
    ):
        raise RoundingDecides
    return plan


def step_lengths(embeddings, sampler, top):
    """[T, L] -> [T - 1]: how far each step is from the one before. [T, N, L]: the mean over the `top` of N
    cells that moved most, over the mean of both steps' scales: how far cells are from their mean, at least a
    quarter of how far they are from nothing."""
    e, order = embeddings.astype(np.float64), 2 if sampler["distance"] == "l2" else 1
    ways = np.linalg.norm(np.diff(e, axis=0), ord=order, axis=-1)
    if e.ndim == 2:
        return ways
    contrast = np.linalg.norm(e - e.mean(axis=1, keepdims=True), ord=order, axis=2).mean(axis=1)
    scale = np.maximum(contrast, 0.25 * np.linalg.norm(e, ord=order, axis=2).mean(axis=1))
    return np.sort(ways, axis=1)[:, -top:].mean(axis=1) / ((scale[1:] + scale[:-1]) / 2)


def cut_widest(bins, s, least):
    """Bins numbered from 0; the one with the longest way is cut behind the last step of its first half, until
    there are enough."""
    bins = np.unique(bins, return_inverse=True)[1]
    while bins[-1] + 1 < least:
        ways = np.array([np.ptp(s[bins == b]) for b in range(bins[-1] + 1)])
        widest = ways.argmax()
        inside = np.flatnonzero(bins == widest)
        half = (s[inside[0]] + s[inside[-1]]) / 2
        if (len(ways) > 1 and np.diff(np.sort(ways)[-2:]) < EDGE_MARGIN * ways.max()) or np.abs(
            s[inside] - half
        ).min() < EDGE_MARGIN * ways.max():
            raise RoundingDecides
        bins[s > half] += bins[s > half] >= widest
    return bins


def plan_ordered(embeddings, sampler, top):
    """Bins of width d over the arc length s; weights 1 - |s - centre|/d, scaled to sum to one a bin; empty
    bins left out."""
    lengths = step_lengths(embeddings, sampler, top)
    s = np.concatenate([[0.0], np.cumsum(np.where(lengths > sampler.get("noiseFloor", 0), lengths, 0))])
    place = s / sampler["width"]
    moved = place[s > 0]
    if len(moved) and np.abs(moved - np.round(moved)).min() < EDGE_MARGIN:
        raise RoundingDecides
    bins = np.floor(place)
    groups = cut_widest(bins, s, sampler["minSteps"]) if sampler.get("minSteps", 1) > 1 else bins
    rows = []
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        weights = np.zeros(len(s))
        if sampler.get("representative") == "middle":
            weights[inside[(len(inside) - 1) // 2]] = 1
        else:
            weights[inside] = 1 - np.abs(place[inside] - (bins[inside] + 0.5))
        rows.append(weights / weights.sum())
    return np.stack(rows), np.unique(groups, return_counts=True)[1]


class Net:
    """One forward pass; weights are drawn by name as they are met, as [out, in, kt, kh, kw]."""

    def __init__(self, case, dtype=torch.float64):
        self.case = case
        self.dtype = dtype
        self.sampler = case["sampler"]
        self.seed = case["seed"]
        self.options = case["network"]
        self.variant = self.options["variant"]
        self.gated = self.variant == "s3d-g"
        self.kept_steps = None
        # Of each step above the cut, the input steps that it stands for; and their number at the cut.
        self.counts = None
        self.every = None

    def weight(self, name, *shape):
        return torch.from_numpy(golden_weights.tensor(self.seed, name, shape, self.case["gamma"])).to(
            self.dtype
        )

    def width(self, channels):
        # JavaScript rounds halves up.
        return max(1, int(np.floor(channels * self.options["widthMultiplier"] + 0.5)))

    def mark(self, out, source, kernel, stride, amounts):
        """Keeps with a map which of its time steps have seen padding: what falls on padding has, and all that
        see such a step."""
        touched = F.pad(source.touched, amounts[-2:], value=1.0)
        out.touched = F.max_pool1d(touched[None], kernel[0], stride[0])[0]
        return out

    def padding(self, x, kernel, stride):
        """TF SAME from the actual size, or ⌊(k−1)/2⌋ on both sides; a 2-wide pool of a map of one pads its
        end."""
        return [
            amount
            for axis in (4, 3, 2)
            for amount in self.ends(x.shape[axis], kernel[axis - 2], stride[axis - 2])
        ]

    def ends(self, n, k, s):
        if self.options["padding"] == "same":
            total = max((-(-n // s) - 1) * s + k - n, 0)
            return total // 2, total - total // 2
        half = (k - 1) // 2
        return half, max(half, k - n - half)

    def unit(self, x, name, out, kernel, stride=(1, 1, 1)):
        weight = self.weight(f"{name}.weight", out, x.shape[1], *kernel)
        amounts = self.padding(x, kernel, stride)
        source = x
        if self.kept_steps is not None and self.options.get("temporalEdge") == "edge":
            x = F.pad(x, [0, 0, 0, 0, *amounts[-2:]], mode="replicate")
            x = F.conv3d(F.pad(x, amounts[:-2]), weight, stride=stride)
        else:
            x = F.conv3d(F.pad(x, amounts), weight, stride=stride)
        mean, var = self.weight(f"{name}.bn.running_mean", out), self.weight(f"{name}.bn.running_var", out)
        gamma, beta = self.weight(f"{name}.bn.weight", out), self.weight(f"{name}.bn.bias", out)
        eps = self.options["batchNormEpsilon"]
        x = F.relu(F.batch_norm(x, mean, var, gamma, beta, training=False, eps=eps))
        return self.mark(x, source, kernel, stride, amounts)

    def spanning(self, x, name, layer, out, k, stride=(1, 1, 1)):
        """A k×k×k convolution in the variant's form for this layer."""
        form = kernel_form(self.variant, layer)
        if form == "3d":
            return self.unit(x, name, out, (k, k, k), stride)
        if form == "2d":
            return self.unit(x, name, out, (1, k, k), stride)
        x = self.unit(x, f"{name}.spatial", out, (1, k, k), (1, stride[1], stride[2]))
        return self.unit(x, f"{name}.temporal", out, (k, 1, 1), (stride[0], 1, 1))

    def pool(self, x, kernel, stride):
        if self.options.get("poolPadding") == "same_even":
            # As the ports write it: k - s zeros whatever the length, and the last window may reach over the
            # end.
            amounts = []
            for axis in (2, 1, 0):
                total = max(kernel[axis] - stride[axis], 0)
                amounts += [total // 2, total - total // 2]
            out = F.max_pool3d(F.pad(x, amounts), kernel, stride, ceil_mode=True)
            out.touched = torch.zeros(1, out.shape[2])
            return out
        amounts = self.padding(x, kernel, stride)
        out = F.max_pool3d(F.pad(x, amounts, value=float("-inf")), kernel, stride)
        if self.counts is not None and stride[0] > 1:
            self.counts = np.add.reduceat(self.counts, np.arange(0, len(self.counts), stride[0]))[
                : out.shape[2]
            ]
            self.every = (
                self.every + sum(self.ends(self.every, kernel[0], stride[0])) - kernel[0]
            ) // stride[0] + 1
        return self.mark(out, x, kernel, stride, amounts)

    def space_to_depth(self, x):
        """Channel ((dt·2 + dh)·2 + dw)·3 + c of a block of 2×2×2 pixels, a 2×4×4 convolution, and the first
        of t, h, w cut."""
        n, c, t, h, w = x.shape
        out = self.width(64)
        x = x.view(n, c, t // 2, 2, h // 2, 2, w // 2, 2).permute(0, 3, 5, 7, 1, 2, 4, 6)
        x = x.reshape(n, 8 * c, t // 2, h // 2, w // 2)
        weight = self.weight("Conv_1a.weight", out, c, 4, 8, 8).view(out, c, 2, 2, 4, 2, 4, 2)
        weight = weight.permute(0, 3, 5, 7, 1, 2, 4, 6).reshape(out, 8 * c, 2, 4, 4)
        x = F.conv3d(x, weight, padding=(1, 2, 2))[:, :, 1:, 1:, 1:]
        statistics = [
            self.weight(f"Conv_1a.bn.{part}", out)
            for part in ("running_mean", "running_var", "weight", "bias")
        ]
        x = F.relu(F.batch_norm(x, *statistics, training=False, eps=self.options["batchNormEpsilon"]))
        x.touched = torch.zeros(1, x.shape[2])
        return x

    def gate(self, x, name):
        if not self.gated or (name == "Conv_2c.gate" and not self.options.get("gateConv2c", True)):
            return x
        n = x.shape[1]
        squeezed = self.over_time(x.mean(dim=(3, 4))) @ self.weight(f"{name}.weight", n, n).T
        if self.options["gateBias"]:
            squeezed = squeezed + self.weight(f"{name}.bias", n)
        out = x * torch.sigmoid(squeezed)[:, :, None, None, None]
        out.touched = x.touched
        return out

    def over_time(self, x):
        """[1, C, T] -> [1, C]: the mean over steps, each as often as it stands for."""
        if self.counts is None or self.options.get("timeMeans") != "multiplicity":
            return x.mean(dim=2)
        return x @ torch.from_numpy(self.counts / self.counts.sum()).to(self.dtype)

    def mixed(self, x, layer, channels):
        b0, (reduce1, b1), (reduce2, b2), b3 = channels
        four = self.variant == "s3d-4branch"

        def pointwise(x, name, out):
            x = self.unit(x, name, self.width(out), (1, 1, 1))
            return self.unit(x, f"{name}.temporal", self.width(out), (3, 1, 1)) if four else x

        def branch(x, name, reduce, out):
            x = self.unit(x, f"{name}.reduce", self.width(reduce), (1, 1, 1))
            return self.spanning(x, name, layer, self.width(out), 3)

        outputs = [
            pointwise(x, f"{layer}.b0", b0),
            branch(x, f"{layer}.b1", reduce1, b1),
            branch(x, f"{layer}.b2", reduce2, b2),
            pointwise(self.pool(x, (3, 3, 3), (1, 1, 1)), f"{layer}.b3", b3),
        ]
        out = torch.cat([self.gate(y, f"{layer}.b{i}.gate") for i, y in enumerate(outputs)], dim=1)
        out.touched = torch.stack([y.touched for y in outputs]).amax(dim=0)
        return out

    def sgs(self, x, layer):
        sgs = self.options.get("sgs")
        if not sgs or sgs["after"] != layer:
            return x
        sampler = self.sampler
        steps = x.shape[2]
        if sampler["kind"] == "none":
            plan, counts = np.eye(steps), np.ones(steps)
        elif sampler["kind"] == "uniform":
            plan = np.eye(steps)[:: sampler["stride"]]
            counts = np.diff([*range(0, steps, sampler["stride"]), steps])
        else:
            embeddings = self.embed(x[0].transpose(0, 1), sgs["embedding"]).numpy().astype(np.float32)
            complete = np.flatnonzero(x.touched[0].numpy() == 0)
            if sgs["boundary"] == "nearest_complete" and len(complete) > 0:
                embeddings = embeddings[[complete[np.abs(complete - t).argmin()] for t in range(steps)]]
            if sampler["kind"] == "ordered":
                top = sgs["embedding"].get("top", 0)
                if sampler["width"] is None:
                    # About three bins and a half, as a number that JSON holds exactly.
                    total = step_lengths(embeddings, sampler, top).sum()
                    if total == 0:
                        raise RoundingDecides
                    self.sampler = sampler = {**sampler, "width": float(f"{total / 3.5:.3g}")}
                plan, counts = plan_ordered(embeddings, sampler, top)
            else:
                plan = plan_reference(embeddings, steps, sampler)
                counts = (plan != 0).sum(axis=1)
            if plan.sum(axis=1).min() < 0.01 or len(plan) < 2:
                raise RoundingDecides
        self.kept_steps, self.counts, self.every = len(plan), np.asarray(counts, np.float64), steps
        kept = torch.einsum("bt,nctyx->ncbyx", torch.from_numpy(plan).to(self.dtype), x)
        kept.touched = torch.zeros(1, len(plan))
        return kept

    def embed(self, steps, embedding):
        """[T, C, H, W] -> [T, L], or a vector a cell: [T, N, C]"""
        if embedding["kind"] == "pooled":
            return F.normalize(F.adaptive_avg_pool2d(steps, embedding["grid"]).flatten(1))
        if embedding["kind"] == "cells":
            return F.adaptive_avg_pool2d(steps, embedding["grid"]).flatten(2).transpose(1, 2)
        c, size = steps.shape[1], embedding["size"]
        x = steps.mean(dim=(2, 3))
        x = F.linear(x, self.weight("SGS.fc1.weight", c // 2, c), self.weight("SGS.fc1.bias", c // 2))
        x = F.linear(
            F.relu(x), self.weight("SGS.fc2.weight", size, c // 2), self.weight("SGS.fc2.bias", size)
        )
        statistics = [
            self.weight(f"SGS.bn.{part}", size) for part in ("running_mean", "running_var", "weight", "bias")
        ]
        return F.batch_norm(x, *statistics, training=False, eps=1e-5)

    def encode(self, clip):
        """uint8 [T, H, W, 3] -> [1, 3, T, H, W]"""
        x = torch.from_numpy(clip).to(self.dtype).permute(3, 0, 1, 2)
        if self.options["input"]["kind"] == "rgb":
            mean, std = (
                torch.tensor(self.options["input"][key], dtype=self.dtype).view(3, 1, 1, 1)
                for key in ("mean", "std")
            )
            return ((x / 255 - mean) / std)[None]
        grey = (0.299 * x[0] + 0.587 * x[1] + 0.114 * x[2]) / 255
        change = torch.diff(grey, dim=0, prepend=grey[:1]) / 0.25
        return torch.stack([(grey - 0.5) / 0.25, change, change.abs()])[None]

    def weigh_steps(self, x):
        """Steps as the head of the dense network weighs the time that each stands for: windows of two that
        slide by one see the first and the last of its steps half as often as the others."""
        ends = np.concatenate([[0.0], self.counts.cumsum()]) / self.counts.sum()
        if self.every > 1 and self.options.get("pooling", "window") != "whole":
            seen = np.concatenate([[0.5], np.ones(self.every - 2), [0.5]]) / (self.every - 1)
            ends = np.interp(
                ends * self.every, np.arange(self.every + 1), np.concatenate([[0.0], seen.cumsum()])
            )
        weights = torch.from_numpy(np.diff(ends)).to(self.dtype)
        return (x * weights[None, None, :, None, None]).sum(dim=2, keepdim=True)

    def forward(self, clip):
        x = self.encode(clip)
        x.touched = torch.zeros(1, x.shape[2])
        # The change since the frame before: the first has none.
        x.touched[0, 0] = float(self.options["input"]["kind"] == "motion")
        if self.options["stem"] == "space_to_depth":
            x = self.space_to_depth(x)
        elif self.options["stem"] in STEM_STEPS and kernel_form(self.variant, "Conv_1a") == "sep":
            x = self.unit(x, "Conv_1a", self.width(64), (STEM_STEPS[self.options["stem"]], 7, 7), (2, 2, 2))
        else:
            x = self.spanning(x, "Conv_1a", "Conv_1a", self.width(64), 7, (2, 2, 2))
        x = self.sgs(x, "Conv_1a")
        x = self.sgs(self.pool(x, (1, 3, 3), (1, 2, 2)), "MaxPool_2a")
        x = self.sgs(self.unit(x, "Conv_2b", self.width(64), (1, 1, 1)), "Conv_2b")
        x = self.gate(self.spanning(x, "Conv_2c", "Conv_2c", self.width(192), 3), "Conv_2c.gate")
        x = self.sgs(x, "Conv_2c")
        x = self.sgs(self.pool(x, (1, 3, 3), (1, 2, 2)), "MaxPool_3a")
        for block, channels in MIXED.items():
            if block == "4b":
                x = self.sgs(self.pool(x, (3, 3, 3), (2, 2, 2)), "MaxPool_4a")
            if block == "5b":
                x = self.sgs(self.pool(x, (2, 2, 2), (2, 2, 2)), "MaxPool_5a")
            x = self.sgs(self.mixed(x, f"Mixed_{block}", channels), f"Mixed_{block}")
        kernel = {"window": (2, 7, 7), "space": (2, *x.shape[3:]), "whole": x.shape[2:]}
        window = [min(k, n) for k, n in zip(kernel[self.options.get("pooling", "window")], x.shape[2:])]
        if self.counts is not None and self.options.get("timeMeans") == "multiplicity":
            x = self.weigh_steps(F.avg_pool3d(x, [1, *window[1:]], stride=1))
        else:
            x = F.avg_pool3d(x, window, stride=1)
        if not self.options.get("classifier", True):
            return x.mean(dim=(0, 2, 3, 4))
        classes = self.options["classes"]
        weight = self.weight("Head.weight", classes, x.shape[1])[:, :, None, None, None]
        return F.conv3d(x, weight, self.weight("Head.bias", classes)).mean(dim=(0, 2, 3, 4))


def tiny(name, variant, frames, height, width, sampler=None, hold=1, **options):
    network = {
        "variant": variant,
        "frames": frames,
        "height": height,
        "width": width,
        "classes": 7,
        "widthMultiplier": 0.0625,
        "input": {"kind": "rgb", "mean": MEAN, "std": STD},
        "padding": "symmetric",
        "batchNormEpsilon": 1e-3,
        "gateBias": True,
        "stem": "separable",
        **options,
    }
    return {"name": name, "hold": hold, "sampler": sampler or {"kind": "none"}, "network": network}


def sgs(after, boundary="as_is", **embedding):
    return {"after": after, "embedding": embedding, "boundary": boundary}


def reference(kernel="linear", distance="l2", **bins):
    return {"kind": "reference", "kernel": kernel, "distance": distance, **bins}


def ordered(distance="l2", **options):
    return {"kind": "ordered", "width": None, "distance": distance, **options}


KERNELS = ("linear", "linear_normalized", "delta", "delta_normalized")
ALL_PLACES = [
    "Conv_1a",
    "MaxPool_2a",
    "Conv_2b",
    "Conv_2c",
    "MaxPool_3a",
    "Mixed_3b",
    "Mixed_3c",
    "MaxPool_4a",
]
ALL_PLACES += [*(f"Mixed_4{letter}" for letter in "bcdef"), "MaxPool_5a", "Mixed_5b", "Mixed_5c"]
PLACES = ["Conv_1a", "Conv_2b", "Conv_2c", *(f"Mixed_{block}" for block in MIXED)]


def placed():
    """The learned embedding at every place of three networks, the samplers and boundaries in turn."""
    for at, place in enumerate(PLACES):
        size = ((20, 20, 20, 28, 28)[at] if at < 5 else 36, 24, 24)
        bins = {"bins": 3 if place.startswith("Mixed_5") else 4}
        kernel, turned = KERNELS[at % 4], KERNELS[at // 2 % 4]
        plans = {
            "s3d-g": (ordered(), "nearest_complete" if at % 2 == 0 else "as_is"),
            "i3d": (
                reference(kernel, "l1" if at % 3 == 0 else "l2", **bins),
                "as_is" if 4 <= at < 8 else "nearest_complete",
            ),
            # From Mixed_4c on too few steps are complete for distances to a mean.
            "fast-s3d": (
                ordered("l1") if at % 2 else reference(turned, **bins),
                "nearest_complete" if at % 2 or at < 6 else "as_is",
            ),
        }
        for variant, (sampler, boundary) in plans.items():
            layer = sgs(place, boundary, kind="learned", size=5)
            padding = "same" if at % 3 == 2 else "symmetric"
            yield tiny(
                f"{variant}-sgs-{place}",
                variant,
                *size,
                sampler,
                sgs=layer,
                padding=padding,
                widthMultiplier=0.125,
            )


def cuts():
    """Every cut of the bottom- and top-heavy networks that no other case has, SGS at every place in turn with
    every sampler."""
    had = {
        "bottom-heavy-i3d": ("Conv_2c", "Mixed_4d"),
        "top-heavy-i3d": ("Mixed_3b", "Mixed_5c"),
        "top-heavy-s3d": ("Conv_2c", "Mixed_4b"),
    }
    samplers = [
        ordered(),
        {"kind": "uniform", "stride": 2},
        reference(bins=3),
        ordered("l1"),
        {"kind": "none"},
        *(reference(kernel, distance, bins=3) for kernel in KERNELS[1:] for distance in ("l1", "l2")),
    ]
    number = 0
    for base, known in had.items():
        for cut in TEMPORAL:
            if cut in known:
                continue
            place, sampler = ALL_PLACES[number * 5 % len(ALL_PLACES)], samplers[number % len(samplers)]
            embedding = {"kind": "learned", "size": 5} if number // 2 % 2 else {"kind": "pooled", "grid": 2}
            early = ALL_PLACES.index(place) < ALL_PLACES.index("MaxPool_4a")
            layer = sgs(place, "nearest_complete" if early and number % 3 else "as_is", **embedding)
            size = (16 if early else 28, 17 + number % 4, 16 + number % 3)
            yield tiny(
                f"{base}-{cut}",
                f"{base}:{cut}",
                *size,
                sampler,
                sgs=layer,
                padding=("symmetric", "same")[number % 2],
            )
            number += 1
    # Beside the cuts: the other members, where SGS stands behind a pool.
    for variant, place in (
        ("i2d", "MaxPool_2a"),
        ("s3d-4branch", "MaxPool_4a"),
        ("s3d-g", "MaxPool_5a"),
        ("s3d-4branch", "Mixed_3b"),
    ):
        layer = sgs(place, kind="learned", size=5)
        yield tiny(f"{variant}-sgs-{place}", variant, 30, 20, 20, ordered(), sgs=layer)


def cases():
    learned, pooled, wide = {"kind": "learned", "size": 6}, {"kind": "pooled"}, {"widthMultiplier": 0.25}
    yield from (
        tiny("i3d", "i3d", 8, 32, 32),
        tiny("i3d-same-odd", "i3d", 9, 33, 27, padding="same"),
        tiny("i2d", "i2d", 8, 32, 32),
        tiny("i2d-one-frame", "i2d", 1, 24, 24),
        tiny("bottom-heavy-2c", "bottom-heavy-i3d:Conv_2c", 8, 32, 32),
        tiny("bottom-heavy-4d", "bottom-heavy-i3d:Mixed_4d", 6, 31, 40),
        tiny("top-heavy-i3d-3b", "top-heavy-i3d:Mixed_3b", 8, 32, 32),
        tiny("top-heavy-i3d-5c", "top-heavy-i3d:Mixed_5c", 5, 24, 37, padding="same"),
        tiny("top-heavy-s3d-2c", "top-heavy-s3d:Conv_2c", 8, 32, 32),
        tiny("top-heavy-s3d-4b", "top-heavy-s3d:Mixed_4b", 7, 29, 29, padding="same"),
        tiny("fast-s3d", "fast-s3d", 8, 32, 32),
        tiny("s3d", "s3d", 8, 32, 32, widthMultiplier=0.125),
        tiny("s3d-one-frame", "s3d", 1, 32, 32),
        tiny("s3d-two-frames-same", "s3d", 2, 25, 24, padding="same"),
        tiny("s3d-odd", "s3d", 9, 39, 35),
        tiny("s3d-same", "s3d", 8, 40, 40, padding="same"),
        tiny("s3d-dense-stem", "s3d", 8, 32, 32, stem="dense"),
        tiny("s3d-4branch", "s3d-4branch", 8, 32, 32),
        tiny("s3d-g", "s3d-g", 9, 32, 32, widthMultiplier=0.125),
        tiny("s3d-g-no-bias-same", "s3d-g", 8, 30, 34, padding="same", gateBias=False, stem="dense"),
        tiny("s3d-g-epsilon", "s3d-g", 4, 32, 32, batchNormEpsilon=1e-5),
        tiny("s3d-g-motion", "s3d-g", 8, 32, 32, hold=3, input={"kind": "motion"}),
        # Maps larger than the head's window in time and space.
        tiny("s3d-large-map", "s3d", 24, 264, 232, widthMultiplier=0.02),
        tiny("sgs-none", "s3d-g", 8, 32, 32, sgs=sgs("Conv_2b", **learned)),
        tiny(
            "sgs-uniform",
            "s3d-g",
            16,
            32,
            32,
            {"kind": "uniform", "stride": 3},
            sgs=sgs("Conv_2b", **pooled, grid=2),
        ),
        # Only the linear kernel: with the others the most distant step counts or not by an accident of
        # rounding.
        tiny("sgs-learned-2b", "s3d-g", 18, 32, 32, reference(bins=6), sgs=sgs("Conv_2b", **learned), **wide),
        tiny(
            "sgs-learned-3b",
            "s3d",
            18,
            32,
            32,
            reference(bins=3),
            hold=3,
            sgs=sgs("Mixed_3b", **learned),
            **wide,
        ),
        tiny("sgs-pooled-1a", "s3d-g", 16, 32, 32, reference(bins=4), sgs=sgs("Conv_1a", **pooled, grid=1)),
        tiny(
            "sgs-pooled-3a-same",
            "s3d",
            14,
            27,
            32,
            reference(distance="l1", bins=4),
            padding="same",
            sgs=sgs("MaxPool_3a", **pooled, grid=3),
        ),
        tiny("s3d-g-space-to-depth", "s3d-g", 8, 32, 36, stem="space_to_depth", poolPadding="same_even"),
        # Odd maps before MaxPool_3a and MaxPool_4a, where SAME of an even length is not SAME.
        tiny("i3d-pools-same-even", "i3d", 10, 72, 40, padding="same", poolPadding="same_even"),
        tiny("s3d-space-pooling", "s3d", 16, 264, 40, widthMultiplier=0.03, pooling="space"),
        tiny("s3d-whole-pooling", "s3d", 24, 64, 96, widthMultiplier=0.03, pooling="whole"),
        tiny(
            "s3d-g-embedding",
            "s3d-g",
            16,
            32,
            32,
            gateConv2c=False,
            pooling="whole",
            classifier=False,
            classes=64,
        ),
    )
    yield from placed()
    shipped = {"input": {"kind": "motion"}, "stem": "dense", "padding": "same", "widthMultiplier": 0.125}
    settled = sgs("Conv_2b", "nearest_complete", kind="pooled", grid=4)
    yield tiny("sgs-as-shipped", "s3d-g", 24, 32, 32, ordered(), hold=2, sgs=settled, **shipped)
    yield tiny(
        "sgs-as-shipped-floor", "s3d-g", 24, 32, 32, ordered(noiseFloor=0.01), hold=4, sgs=settled, **shipped
    )
    for stem, frames in (("flat", 7), ("dense_5", 8), ("dense_7", 9)):
        yield tiny(
            f"s3d-g-stem-{stem}",
            "s3d-g",
            frames,
            33,
            32,
            padding="same",
            gateBias=False,
            stem=stem,
            widthMultiplier=0.125,
        )
    # Shorter than what a step sees: no step is complete, all stay as they are.
    short = sgs("Conv_2c", "nearest_complete", kind="pooled", grid=2)
    yield tiny("sgs-none-complete", "s3d", 9, 32, 32, ordered(), sgs=short)
    yield from cuts()
    yield from few_steps()


def few_steps():
    """The arithmetic of docs/adr/0027. All see `motion`, so that training, which knows nothing of colours, is
    held to them as well."""
    motion = {"input": {"kind": "motion"}, "stem": "dense", "widthMultiplier": 0.125}
    edges, uniform = {"temporalEdge": "edge", "timeMeans": "multiplicity"}, {"kind": "uniform", "stride": 3}

    def cells(grid, top, after="Conv_2b"):
        return sgs(after, "nearest_complete", kind="cells", grid=grid, top=top)

    yield tiny("edges-dense", "s3d-g", 24, 32, 32, sgs=cells(4, 1), **edges, **motion)
    yield tiny("edges-uniform", "s3d-g", 20, 32, 32, uniform, sgs=cells(4, 1), **edges, **motion)
    yield tiny("edges-grid", "s3d-g", 24, 40, 40, ordered(), hold=2, sgs=cells(7, 1), **edges, **motion)
    yield tiny("edges-grid-top", "s3d-g", 24, 40, 36, ordered(), hold=3, sgs=cells(4, 5), **edges, **motion)
    yield tiny(
        "edges-grid-l1", "s3d-g", 18, 32, 32, ordered("l1"), hold=3, sgs=cells(3, 2), **edges, **motion
    )
    yield tiny(
        "edges-middle",
        "s3d-g",
        24,
        32,
        32,
        ordered(representative="middle"),
        hold=2,
        sgs=cells(4, 1),
        **edges,
        **motion,
    )
    yield tiny(
        "edges-floor", "s3d-g", 24, 32, 32, ordered(minSteps=6), hold=2, sgs=cells(4, 1), **edges, **motion
    )
    middle = ordered(representative="middle", minSteps=5)
    yield tiny("edges-floor-middle", "s3d-g", 24, 32, 32, middle, hold=3, sgs=cells(4, 2), **edges, **motion)
    learned = sgs("Conv_2b", "nearest_complete", kind="learned", size=6)
    yield tiny("edges-learned", "s3d-g", 24, 32, 32, ordered(), hold=3, sgs=learned, **edges, **motion)
    yield tiny(
        "edges-plain-means",
        "s3d-g",
        24,
        32,
        32,
        ordered(),
        hold=2,
        sgs=cells(4, 1),
        temporalEdge="edge",
        **motion,
    )
    weighed = {"timeMeans": "multiplicity"}
    yield tiny(
        "zeros-multiplicity", "s3d-g", 24, 32, 32, ordered(), hold=2, sgs=cells(4, 1), **weighed, **motion
    )
    yield tiny(
        "zeros-multiplicity-space",
        "s3d-g",
        30,
        40,
        32,
        uniform,
        pooling="space",
        sgs=cells(2, 1),
        **weighed,
        **motion,
    )
    whole = {"pooling": "whole", "sgs": cells(3, 1, "MaxPool_3a")}
    yield tiny("edges-whole-3a", "s3d-g", 30, 40, 40, ordered(), hold=3, **whole, **edges, **motion)
    yield tiny(
        "edges-same",
        "s3d-g",
        26,
        40,
        33,
        ordered(),
        hold=2,
        padding="same",
        sgs=cells(4, 1),
        **edges,
        **motion,
    )
    plain = {"input": {"kind": "motion"}, "widthMultiplier": 0.125}
    yield tiny("edges-i3d", "i3d", 24, 32, 32, ordered(), hold=2, sgs=cells(4, 1), **edges, **plain)
    yield tiny(
        "edges-i3d-same",
        "i3d",
        22,
        32,
        32,
        ordered(),
        hold=2,
        padding="same",
        sgs=cells(4, 1),
        **edges,
        **plain,
    )
    yield tiny("edges-fast-s3d", "fast-s3d", 24, 32, 32, ordered(), hold=2, sgs=cells(4, 1), **edges, **plain)
    yield tiny(
        "edges-4branch", "s3d-4branch", 20, 32, 32, ordered(), hold=2, sgs=cells(4, 1), **edges, **plain
    )
    yield tiny("edges-reference", "s3d", 18, 32, 32, reference(bins=4), hold=3, sgs=learned, **edges, **plain)


def solve(case, number, known):
    """(net, logits) of the first seed under which every engine must find the same plan, and the least batch
    norm scale under which features neither fade below the head's bias nor outgrow the tolerance."""
    options = case["network"]
    size = (options["frames"], options["height"], options["width"])
    asked = case["sampler"]
    for seed in range(known.get(case["name"], 100 + number), 5000, 100):
        for gamma in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 0.4, 0.3):
            case.update(seed=seed, gamma=gamma)
            net = Net(case)
            try:
                logits = net.forward(golden_weights.pixels(seed, *size, case["hold"]))
                if net.kept_steps is not None:
                    case["sampler"] = net.sampler
                    single = Net(case, torch.float32)
                    gap = (
                        (single.forward(golden_weights.pixels(seed, *size, case["hold"])).double() - logits)
                        .abs()
                        .max()
                    )
                    if single.kept_steps != net.kept_steps or gap > 2e-5:
                        raise RoundingDecides
            except RoundingDecides:
                case["sampler"] = asked
                continue
            if 0.8 < logits.abs().max() < 8:
                return net, logits
            case["sampler"] = asked
    raise SystemExit(f"{case['name']}: no seed gives sane features and a plan free of rounding accidents")


def main():
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    # The search begins where the last one ended: delete cases.json to begin anew.
    last = OUT / "cases.json"
    known = {case["name"]: case["seed"] for case in json.loads(last.read_text())} if last.exists() else {}
    logits, written = {}, []
    for number, case in enumerate(cases()):
        net, result = solve(case, number, known)
        logits[case["name"]] = result.numpy().astype(np.float32)
        written.append({**case, **({} if net.kept_steps is None else {"keptSteps": net.kept_steps})})
        print(f"{case['name']:>20} kept {net.kept_steps} logits {np.round(result.numpy(), 3)}")
    lines = ",\n".join(json.dumps(case) for case in written)
    (OUT / "cases.json").write_text(f"[\n{lines}\n]\n")
    save_file(logits, OUT / "logits.safetensors")


if __name__ == "__main__":
    main()
