"""A PyTorch network that interprets the node list of the product (tools/export-network.ts); it restates no
layer.

Weights carry the product's names (`<node>.weight`, `<node>.bn.running_mean`, ...), so a state dict is a
weights file."""

import json
import subprocess
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from sgs import Sampling, pool_rows, rows_of
from time_shares import axis_padding, mean_over_time, time_shares

# Clips of equally many kept steps that train together.
GROUP = 16
ROOT = Path(__file__).resolve().parent.parent


def export_network(options: dict) -> dict:
    """The node list of `buildNetwork(options)`, with the shapes of its tensors under `weights`."""
    return export_networks([options])[0]


def export_networks(options: list[dict]) -> list[dict]:
    command = ["npx", "tsx", "tools/export-network.ts", *(json.dumps(one) for one in options)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def load_checkpoint(
    run: Path, device: torch.device | str = "cpu", change=lambda options: options
) -> "Network":
    """The averaged weights of a training run, for evaluation; where `change` gives other options, under
    those."""
    description = json.loads((run / "network.json").read_text())
    options = change(description["options"])
    model = Network(description if options == description["options"] else export_network(options))
    model.adopt(torch.load(run / "checkpoint.pt", weights_only=False, map_location="cpu")["average"])
    return model.to(device).eval()


class Network(nn.Module):
    """Grey frames [n, t, h, w] in [0, 1] -> logits [n, classes]; `description` comes from export_network."""

    def __init__(self, description: dict, dropout: float = 0.25):
        super().__init__()
        self.description = description
        self.dropout = dropout
        # True: batch norm keeps its running statistics while all else trains, so that clips need no company
        # of their like: each number of kept steps then runs as in production. The embedding's batch norm goes
        # on learning.
        self.frozen_statistics = False
        # What the head of the last clips classified: [n, channels]. Distillation compares it with a
        # teacher's.
        self.pooled: torch.Tensor | None = None
        self.values = nn.ParameterDict()
        self.statistics = nn.ModuleDict()
        for name, shape in description["weights"].items():
            self._register(name, shape)

    def _register(self, name: str, shape: list[int]) -> None:
        key = name.replace(".", "/")
        if name.endswith(("running_mean", "running_var")):
            fill = torch.zeros if name.endswith("mean") else torch.ones
            self.register_buffer(key, fill(shape))
        else:
            self.values[key] = nn.Parameter(initial(name, shape))

    def tensor(self, name: str) -> torch.Tensor:
        key = name.replace(".", "/")
        return self.values[key] if key in self.values else getattr(self, key)

    def tensors(self) -> dict[str, torch.Tensor]:
        """All tensors under the product's names."""
        return {name: self.tensor(name) for name in self.description["weights"]}

    @torch.no_grad()
    def adopt(self, tensors: dict[str, torch.Tensor], partial: bool = False) -> None:
        """Takes the values of `tensors`, by the product's names; with `partial` what they lack stays as it
        is."""
        for name, value in self.tensors().items():
            if name in tensors or not partial:
                value.copy_(tensors[name])

    def forward(self, grey: torch.Tensor, sampling: Sampling | None = None, context: int = 0) -> torch.Tensor:
        """`sampling` None runs dense; else clips that keep equally many steps run together.

        `context` steps at the beginning of `grey` belong to the stream before the clip: they are seen and
        dropped (docs/adr/0019)."""
        lower, upper = self.halves()
        cut = self.cut()
        at = self.run(lower, {"input": encode(grey, self.description["options"]["input"])})
        if cut is None:
            return at[self.description["output"]]
        features = at[cut["input"]][:, :, context:]
        if sampling is None:
            return self.above(upper, cut["name"], features, torch.ones_like(features[:, 0, :, 0, 0]))
        embeddings = self.embed(cut, features)
        order, parts, pooled = [], [], []
        for chosen, rows, counts in rows_of(embeddings, sampling, cut["embedding"].get("top", 1)):
            filled = self.whole_groups(len(chosen), chosen.device)
            sampled = pool_rows(rows[filled], features[chosen[filled]])
            parts.append(self.above(upper, cut["name"], sampled, counts[filled])[: len(chosen)])
            order.append(chosen)
            pooled.append(self.pooled[: len(chosen)])
        back = torch.cat(order).argsort()
        self.pooled = torch.cat(pooled)[back]
        return torch.cat(parts)[back]

    def strided(self, grey: torch.Tensor, stride: int) -> torch.Tensor:
        """src/sampler/uniform.ts: every stride-th step behind the cut."""
        lower, upper = self.halves()
        cut = self.cut()
        features = self.run(lower, {"input": encode(grey, self.description["options"]["input"])})[
            cut["input"]
        ]
        kept = features[:, :, ::stride]
        begins = torch.arange(0, features.shape[2], stride, device=features.device)
        counts = torch.diff(begins, append=begins.new_tensor([features.shape[2]]))
        return self.above(upper, cut["name"], kept, counts.expand(len(kept), -1))

    def above(
        self, nodes: list[dict], name: str, features: torch.Tensor, counts: torch.Tensor
    ) -> torch.Tensor:
        """Logits of what the node `name` at or above the cut gave; `counts` [n, kept]: the input steps each
        kept step stands for."""
        return self.run(nodes, {name: features}, time_shares(self.description, counts))[
            self.description["output"]
        ]

    def whole_groups(self, count: int, device: torch.device) -> torch.Tensor:
        """Indices of `count` clips, the first repeated until groups are full where a GPU trains: it plans
        every new shape anew."""
        full = -(-count // GROUP) * GROUP if self.training and device.type == "cuda" else count
        return torch.arange(full, device=device) % count

    def cut(self) -> dict | None:
        return next((node for node in self.description["nodes"] if node["op"] == "sgs"), None)

    def halves(self) -> tuple[list[dict], list[dict]]:
        nodes = [node for node in self.description["nodes"] if node["op"] != "input"]
        at = next((i for i, node in enumerate(nodes) if node["op"] == "sgs"), None)
        return (nodes, []) if at is None else (nodes[:at], nodes[at + 1 :])

    def run(
        self, nodes: list[dict], at: dict[str, torch.Tensor], shares: dict[str, torch.Tensor] | None = None
    ) -> dict[str, torch.Tensor]:
        """`shares` of time_shares.py by node; a mean over time without any is plain."""
        for node in nodes:
            at[node["name"]] = self.apply_node(node, at, (shares or {}).get(node["name"]))
        return at

    def apply_node(
        self, node: dict, at: dict[str, torch.Tensor], share: torch.Tensor | None = None
    ) -> torch.Tensor:
        name = node["name"]
        if node["op"] == "concat":
            return torch.cat([at[i] for i in node["inputs"]], 1)
        x = at[node["input"]]
        match node["op"]:
            case "conv":
                return self.conv(node, x)
            case "max_pool":
                sides = self.sides(x, node)
                if uneven(sides):
                    return F.max_pool3d(
                        F.pad(x, amounts(sides), value=float("-inf")), node["kernel"], node["stride"]
                    )
                return max_pool(x, node["kernel"], node["stride"], [side for side, _ in sides])
            case "gate":
                bias = self.tensor(f"{name}.bias") if node["bias"] else None
                mean = mean_over_time(x.mean((3, 4)), share)
                scale = torch.sigmoid(F.linear(mean, self.tensor(f"{name}.weight"), bias))
                return x * scale[:, :, None, None, None]
            case "head":
                pooled = self.pool_head(node, x, share)
                self.pooled = pooled
                pooled = F.dropout(pooled, self.dropout, self.training)
                return F.linear(pooled, self.tensor(f"{name}.weight"), self.tensor(f"{name}.bias"))
        raise ValueError(f"node {name}: operation {node['op']} is unknown to training")

    def pool_head(self, node: dict, x: torch.Tensor, share: torch.Tensor | None) -> torch.Tensor:
        """src/inference/network/head-window.ts, then the mean over positions."""
        sizes = {"window": (2, 7, 7), "space": (2, *x.shape[3:]), "whole": x.shape[2:]}[node["pooling"]]
        t, h, w = (min(size, n) for size, n in zip(sizes, x.shape[2:]))
        pooled = F.avg_pool3d(x, (t if share is None else 1, h, w), 1)
        return mean_over_time(pooled.mean((3, 4)), share)

    def conv(self, node: dict, x: torch.Tensor) -> torch.Tensor:
        weight, stride, sides = self.tensor(f"{node['name']}.weight"), node["stride"], self.sides(x, node)
        if node.get("repeatsEdges"):
            x, sides = repeat_edges(x, *sides[0]), [(0, 0), *sides[1:]]
        if uneven(sides):
            y = F.conv3d(F.pad(x, amounts(sides)), weight, None, stride)
        else:
            y = convolve(x, weight, stride, [side for side, _ in sides])
        # Batch norm has a fast path for pictures whose channels lie last, and none for clips.
        learning = self.training and not self.frozen_statistics
        pictures = F.relu(
            self.batch_norm(node["name"], as_pictures(y), node["batchNormEpsilon"], learning), inplace=True
        )
        return as_clips(pictures, len(x))

    def batch_norm(self, name: str, x: torch.Tensor, epsilon: float, learning: bool) -> torch.Tensor:
        part = {
            key: self.tensor(f"{name}.bn.{key}") for key in ("running_mean", "running_var", "weight", "bias")
        }
        return F.batch_norm(x, **part, training=learning, momentum=0.05, eps=epsilon)

    def embed(self, node: dict, features: torch.Tensor) -> torch.Tensor:
        """Features [n, c, t, h, w] -> embeddings [n, t, size], or with a vector a cell [n, t, cells,
        size]."""
        if node["embedding"]["kind"] != "learned":
            return self.settle_boundary(embed_cells(features, **node["embedding"]))
        means = features.mean((3, 4)).transpose(1, 2)
        hidden = F.relu(F.linear(means, self.tensor("SGS.fc1.weight"), self.tensor("SGS.fc1.bias")))
        z = F.linear(hidden, self.tensor("SGS.fc2.weight"), self.tensor("SGS.fc2.bias"))
        n, t, size = z.shape
        z = self.batch_norm("SGS", z.reshape(n * t, size), node["batchNormEpsilon"], self.training).reshape(
            n, t, size
        )
        return self.settle_boundary(z)

    def settle_boundary(self, z: torch.Tensor) -> torch.Tensor:
        """src/inference/settle-boundary.ts: steps that see padding take the embedding of the nearest that
        does not."""
        complete = self.description.get("completeSteps")
        if complete is None:
            return z
        return z[:, torch.arange(z.shape[1], device=z.device).clamp(*complete)]

    def sides(self, x: torch.Tensor, node: dict) -> list[tuple[int, int]]:
        axes = zip(range(3), x.shape[2:], node["kernel"], node["stride"])
        return [axis_padding(node["padding"], *axis) for axis in axes]


def uneven(sides: list[tuple[int, int]]) -> bool:
    return any(before != after for before, after in sides)


def amounts(sides: list[tuple[int, int]]) -> list[int]:
    """As F.pad takes them: the last axis first."""
    return [side for pair in reversed(sides) for side in pair]


def repeat_edges(x: torch.Tensor, before: int, after: int) -> torch.Tensor:
    """[n, c, t, h, w] with the first and the last step repeated."""
    at = torch.arange(-before, x.shape[2] + after, device=x.device).clamp(0, x.shape[2] - 1)
    return x[:, :, at]


def embed_cells(features: torch.Tensor, kind: str, grid: int, **_) -> torch.Tensor:
    """Means over a grid×grid raster of [n, c, t, h, w]: a vector a cell [n, t, cells, c]; `pooled`, all of
    unit length together [n, t, cells·c]."""
    n, _, t, _, _ = features.shape
    cells = F.adaptive_avg_pool2d(as_pictures(features), grid).flatten(2).transpose(1, 2).unflatten(0, (n, t))
    return cells if kind == "cells" else F.normalize(cells.flatten(2), dim=2)


def encode(grey: torch.Tensor, encoding: dict) -> torch.Tensor:
    """[n, t, h, w] -> [n, 3, t, h, w], channels last in memory; a network of colours sees three times the
    grey."""
    if encoding["kind"] == "motion":
        return encode_motion(grey)
    mean, std = (grey.new_tensor(encoding[key]).view(3, 1, 1, 1) for key in ("mean", "std"))
    return ((grey[:, None] - mean) / std).contiguous(memory_format=torch.channels_last_3d)


def encode_motion(grey: torch.Tensor) -> torch.Tensor:
    """graph.ts InputEncoding `motion`: [n, t, h, w] -> [n, 3, t, h, w], channels last in memory."""
    difference = F.pad(grey[:, 1:] - grey[:, :-1], (0, 0, 0, 0, 1, 0)) / 0.25
    stacked = torch.stack([(grey - 0.5) / 0.25, difference, difference.abs()], 1)
    return stacked.contiguous(memory_format=torch.channels_last_3d)


# Clips lie in memory as [n, t, h, w, c]. Spatial operations then see n·t pictures, temporal ones n pictures
# of t by h·w: both are views, and 2D operations with channels last are two thirds of the time of 3D ones on a
# CPU.


def as_pictures(x: torch.Tensor) -> torch.Tensor:
    """[n, c, t, h, w] -> [n·t, c, h, w]"""
    n, c, t, h, w = x.shape
    return x.permute(0, 2, 3, 4, 1).reshape(n * t, h, w, c).permute(0, 3, 1, 2)


def as_clips(x: torch.Tensor, n: int) -> torch.Tensor:
    """[n·t, c, h, w] -> [n, c, t, h, w]"""
    frames, c, h, w = x.shape
    return x.permute(0, 2, 3, 1).reshape(n, frames // n, h, w, c).permute(0, 4, 1, 2, 3)


def over_time(x: torch.Tensor, operation) -> torch.Tensor:
    """Applies a 2D operation to [n, c, t, h·w]."""
    n, c, t, h, w = x.shape
    y = operation(x.permute(0, 2, 3, 4, 1).reshape(n, t, h * w, c).permute(0, 3, 1, 2))
    return y.permute(0, 2, 3, 1).reshape(n, y.shape[2], h, w, y.shape[1]).permute(0, 4, 1, 2, 3)


def max_pool(x: torch.Tensor, kernel: list[int], stride: list[int], pad: list[int]) -> torch.Tensor:
    """A maximum over a box is the maximum over time of maxima over space."""
    if kernel[1] > 1 or stride[1] > 1:
        x = as_clips(F.max_pool2d(as_pictures(x), kernel[1:], stride[1:], pad[1:]), len(x))
    if kernel[0] > 1 or stride[0] > 1:
        x = over_time(x, lambda y: F.max_pool2d(y, (kernel[0], 1), (stride[0], 1), (pad[0], 0)))
    return x


def convolve(x: torch.Tensor, weight: torch.Tensor, stride: list[int], pad: list[int]) -> torch.Tensor:
    """conv3d, as 2D convolutions wherever the kernel is flat or its taps are few."""
    if weight.shape[2] == 1 and stride[0] == 1:
        return as_clips(F.conv2d(as_pictures(x), weight[:, :, 0], None, stride[1:], pad[1:]), len(x))
    if weight.shape[3:] == (1, 1) and stride[1:] == [1, 1]:
        kernel = weight[:, :, :, :, 0]
        return over_time(x, lambda y: F.conv2d(y, kernel, None, (stride[0], 1), (pad[0], 0)))
    if weight.shape[1] == 3:
        return conv_by_frames(x, weight, stride, pad)
    return F.conv3d(x, weight, None, stride, pad)


def conv_by_frames(x: torch.Tensor, weight: torch.Tensor, stride: list[int], pad: list[int]) -> torch.Tensor:
    """A convolution of few input channels as a 2D one over its stacked taps: the same sums, faster on a
    CPU."""
    n, c, _, height, width = x.shape
    out, _, taps, kh, kw = weight.shape
    frames = F.pad(x, (0, 0, 0, 0, pad[0], pad[0])).unfold(2, taps, stride[0])  # [n, c, t', h, w, taps]
    steps = frames.shape[2]
    flat = frames.permute(0, 2, 1, 5, 3, 4).reshape(n * steps, c * taps, height, width)
    flat = flat.contiguous(memory_format=torch.channels_last)
    y = F.conv2d(flat, weight.reshape(out, c * taps, kh, kw), None, stride[1:], pad[1:])
    return y.unflatten(0, (n, steps)).transpose(1, 2)


def initial(name: str, shape: list[int]) -> torch.Tensor:
    if name.endswith(".bn.weight"):
        return torch.ones(shape)
    if len(shape) == 1:
        return torch.zeros(shape)
    value = torch.empty(shape)
    if len(shape) == 2:
        return (
            nn.init.normal_(value, std=0.01)
            if "Head" in name or "gate" in name
            else nn.init.kaiming_normal_(value)
        )
    nn.init.kaiming_normal_(value, nonlinearity="relu")
    if name.endswith("temporal.weight") and shape[0] == shape[1]:
        value.mul_(0.3)
        value[:, :, shape[2] // 2, 0, 0] += torch.eye(shape[0])
    return value
