"""Similarity Guided Sampling, `ordered` (src/sampler/ordered.ts), differentiable: the same arithmetic on tensors."""

from dataclasses import dataclass

import torch

EDGE_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Sampling:
    """`chunks` (training): clips sorted by kept steps run in so many chunks, each brought to its median number of
    rows, so that batch-norm sees no padding. More than one chunk parts still clips from moving ones, and batch-norm then
    removes what tells them apart. None (evaluation): every clip keeps its own plan."""

    width: float
    noise_floor: float = 0.0
    chunks: int | None = None
    record: list | None = None


def arc_lengths(embeddings: torch.Tensor, noise_floor: float = 0.0) -> torch.Tensor:
    """[t, size] -> [t], in double precision. Gradient: unit vectors of the differences that count."""
    z = embeddings.double()
    steps = [z.new_zeros(())]
    anchor = 0
    for t in range(1, len(z)):
        difference = z[t] - z[anchor]
        moved = difference.square().sum()
        if moved.item() > noise_floor**2:
            steps.append(moved.sqrt())
            anchor = t
        else:
            steps.append(z.new_zeros(()))
    return torch.stack(steps).cumsum(0)


def groups_of(arc: torch.Tensor, width: float) -> list[tuple[int, int]]:
    """Contiguous [start, end) of the steps of one bin."""
    values = arc.detach()
    bins = values if width == 0 else torch.floor(values / width + EDGE_TOLERANCE)
    edges = [0, *(torch.nonzero(bins[1:] != bins[:-1]).flatten() + 1).tolist(), len(bins)]
    return list(zip(edges[:-1], edges[1:]))


def plan_ordered(arc: torch.Tensor, groups: list[tuple[int, int]], width: float) -> torch.Tensor:
    """[kept, t]: rows of the plan; no gradient flows through the choice of bin."""
    rows = []
    for start, end in groups:
        row = arc.new_zeros(len(arc))
        if width == 0:
            row[start:end] = 1 / (end - start)
        else:
            centre = (torch.floor(arc[start].detach() / width + EDGE_TOLERANCE) + 0.5) * width
            # A group changed by `bring_to` may reach past its bin: its far steps keep a small weight.
            kernel = (1 - (arc[start:end] - centre).abs() / width).clamp_min(0.1)
            row = torch.cat([row[:start], kernel / kernel.sum(), row[end:]])
        rows.append(row)
    return torch.stack(rows).float()


def rows_of(embeddings: torch.Tensor, sampling: Sampling):
    """Yields (clip indices, plans [clips, kept, t]) of clips that keep equally many steps."""
    arcs = [arc_lengths(z, sampling.noise_floor) for z in embeddings]
    groups = [groups_of(arc, sampling.width) for arc in arcs]
    if sampling.record is not None:
        sampling.record.extend((len(g), arc[-1]) for g, arc in zip(groups, arcs))
    order = sorted(range(len(groups)), key=lambda i: len(groups[i]))
    for chunk in chunks_of(order, groups, sampling.chunks):
        kept = len(groups[chunk[len(chunk) // 2]])
        plans = [plan_ordered(arcs[i], bring_to(kept, groups[i], arcs[i]), sampling.width) for i in chunk]
        yield torch.tensor(chunk), torch.stack(plans)


def chunks_of(order: list[int], groups: list, chunks: int | None) -> list[list[int]]:
    if chunks is None:
        by_count: dict[int, list[int]] = {}
        for i in order:
            by_count.setdefault(len(groups[i]), []).append(i)
        return list(by_count.values())
    size = -(-len(order) // chunks)
    return [order[i : i + size] for i in range(0, len(order), size)]


def bring_to(kept: int, groups: list[tuple[int, int]], arc: torch.Tensor) -> list[tuple[int, int]]:
    """Splits the longest or joins the closest neighbours until `kept` groups are left."""
    groups = list(groups)
    while len(groups) < kept:
        i = max(range(len(groups)), key=lambda j: groups[j][1] - groups[j][0])
        start, end = groups[i]
        middle = (start + end + 1) // 2
        groups[i : i + 1] = [(start, middle), (middle, end)]
    while len(groups) > kept:
        span = [(arc[b[1] - 1] - arc[a[0]]).item() for a, b in zip(groups, groups[1:])]
        i = span.index(min(span))
        groups[i : i + 2] = [(groups[i][0], groups[i + 1][1])]
    return groups


def pool_rows(plans: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """[n, kept, t] x [n, c, t, h, w] -> [n, c, kept, h, w], channels last."""
    n, c, t, h, w = features.shape
    steps = features.permute(0, 2, 3, 4, 1).reshape(n, t, h * w * c)
    return torch.bmm(plans, steps).reshape(n, -1, h, w, c).permute(0, 4, 1, 2, 3)
