"""Means over time above the cut, weighted by what each kept step stands for
(src/inference/network/time-shares.ts)."""

import torch


def time_shares(description: dict, counts: torch.Tensor) -> dict[str, torch.Tensor]:
    """Counts [n, kept], the input steps that each kept step stands for -> share [n, steps] of each step in
    the mean of each gate above the cut and of the head, by its name; none where means are plain."""
    if description["options"].get("timeMeans") != "multiplicity":
        return {}
    standing: dict[str, torch.Tensor] = {}
    shares: dict[str, torch.Tensor] = {}
    for node in description["nodes"]:
        before = counts.double() if node["op"] == "sgs" else standing.get(first_input(node))
        if before is None:
            continue
        standing[node["name"]] = strided(before, node) if strides_time(node) else before
        if node["op"] == "gate":
            shares[node["name"]] = plain(before)
        if node["op"] == "head":
            steps = dense_steps(description)[node["input"]]
            whole = node["pooling"] == "whole" or steps == 1
            shares[node["name"]] = plain(before) if whole else sliding(before, steps)
    return shares


def dense_steps(description: dict) -> dict[str, int]:
    """Steps of each node's output where all are kept."""
    steps: dict[str, int] = {}
    for node in description["nodes"]:
        before = description["options"]["frames"] if node["op"] == "input" else steps[first_input(node)]
        strides = node["op"] in ("conv", "max_pool")
        steps[node["name"]] = steps_behind(node, before) if strides else before
    return steps


def strides_time(node: dict) -> bool:
    return node["op"] in ("conv", "max_pool") and node["stride"][0] > 1


def strided(counts: torch.Tensor, node: dict) -> torch.Tensor:
    """A step behind a stride stands for all those that it strides over."""
    stride, steps = node["stride"][0], steps_behind(node, counts.shape[1])
    return torch.stack([counts[:, i * stride : (i + 1) * stride].sum(1) for i in range(steps)], 1)


def steps_behind(node: dict, steps: int) -> int:
    kernel, stride = node["kernel"][0], node["stride"][0]
    before, after = axis_padding(node["padding"], 0, steps, kernel, stride)
    return (steps + before + after - kernel) // stride + 1


def axis_padding(padding: str | list, axis: int, size: int, kernel: int, stride: int) -> tuple[int, int]:
    """src/inference/network/padding.ts."""
    reach = (-(-size // stride) - 1) * stride + kernel - size
    if padding == "symmetric":
        side = (kernel - 1) // 2
        return side, side + max(0, kernel - size - 2 * side)
    before = max(reach, 0) // 2 if padding == "same" else padding[axis]
    return before, max(reach - before, 0)


def plain(counts: torch.Tensor) -> torch.Tensor:
    return counts / counts.sum(1, keepdim=True)


def sliding(counts: torch.Tensor, steps: int) -> torch.Tensor:
    """The dense network's weights, of which the first and last of `steps` are half as high, over each part of
    the time."""
    ends = plain(counts).cumsum(1) * steps
    halves = ends.clamp(max=1) + (ends - (steps - 1)).clamp_min(0)
    below = (ends - halves / 2) / (steps - 1)
    return torch.diff(below, dim=1, prepend=torch.zeros_like(below[:, :1]))


def first_input(node: dict) -> str:
    return node["inputs"][0] if "inputs" in node else node.get("input", "")


def mean_over_time(x: torch.Tensor, share: torch.Tensor | None) -> torch.Tensor:
    """[n, c, t] -> [n, c]"""
    return x.mean(2) if share is None else torch.einsum("nct,nt->nc", x, share.to(x.dtype))
