"""Similarity Guided Sampling, `ordered` (src/sampler), differentiable: the same arithmetic on a batch of
tensors."""

from dataclasses import dataclass
from itertools import pairwise

import torch

# src/sampler/arc-length.ts
EDGE_TOLERANCE = 1e-5
# src/sampler/distance.ts
LEAST_CONTRAST = 0.25


@dataclass(frozen=True)
class Sampling:
    """`width` is δ. `record`, a list, receives (kept steps [n], arc length [n])."""

    width: float
    noise_floor: float = 0.0
    record: list | None = None
    # `middle`: the middle step of a group alone; then no gradient flows to the embeddings.
    representative: str = "mean"
    min_steps: int = 1


def arc_lengths(embeddings: torch.Tensor, noise_floor: float = 0.0, top: int = 1) -> torch.Tensor:
    """[n, t, size], or with a vector a cell [n, t, cells, size] -> [n, t], in double precision.

    Gradient: that of the distances that count. `top`: how many of the cells that moved most count."""
    z = embeddings.double()
    anchor, steps = z[:, 0], [z.new_zeros(len(z))]
    for t in range(1, z.shape[1]):
        distance = cell_distance(z[:, t], anchor, top) if z.dim() == 4 else length(z[:, t] - anchor)
        moved = distance > noise_floor
        steps.append(torch.where(moved, distance, 0.0))
        anchor = torch.where(moved.view(-1, *[1] * (z.dim() - 2)), z[:, t], anchor)
    return torch.stack(steps, 1).cumsum(1)


def length(vectors: torch.Tensor) -> torch.Tensor:
    """[..., size] -> [...]; the gradient of a vector of zeros is zero."""
    squared = vectors.square().sum(-1)
    moved = squared > 0
    return torch.where(moved, torch.where(moved, squared, 1.0).sqrt(), 0.0)


def cell_distance(a: torch.Tensor, b: torch.Tensor, top: int) -> torch.Tensor:
    """[n, cells, size] twice -> [n]: the mean way of the `top` cells that moved most, over the scale of both
    steps."""
    most = length(a - b).topk(top, dim=1).values.mean(1)
    scale = (scale_of(a) + scale_of(b)) / 2
    return torch.where(most > 0, most / torch.where(most > 0, scale, 1.0), 0.0)


def scale_of(step: torch.Tensor) -> torch.Tensor:
    """[n, cells, size] -> [n]: how far cells differ among themselves, at least a share of how long they
    are."""
    contrast = length(step - step.mean(1, keepdim=True)).mean(1)
    return torch.maximum(contrast, LEAST_CONTRAST * length(step).mean(1))


def groups_of(arc: torch.Tensor, width: float, min_steps: int = 1) -> torch.Tensor:
    """[n, t] -> [n, t]: which of the kept steps each step goes into, from 0; a group is the steps of one
    bin."""
    bins = bins_of(arc.detach(), width)
    begins = bins[:, 1:] != bins[:, :-1]
    if min_steps > 1:
        begins = cut_wide_groups(arc.detach(), begins, min_steps)
    return torch.cat([begins.new_zeros(len(arc), 1), begins], 1).long().cumsum(1)


def cut_wide_groups(arc: torch.Tensor, begins: torch.Tensor, min_steps: int) -> torch.Tensor:
    """src/sampler/groups.ts: a clip in which a step moves has at least `min_steps` groups.

    `begins` [n, t - 1] says whether step t + 1 begins a group."""
    begins = begins.clone()
    for one, row in zip(arc.tolist(), begins):
        least = min(min_steps, len(one)) if one[-1] > one[0] else 0
        while int(row.sum()) + 1 < least:
            edges = [0, *(row.nonzero().flatten() + 1).tolist(), len(one)]
            start, end = max(pairwise(edges), key=lambda at: (one[at[1] - 1] - one[at[0]], at[1] - at[0]))
            half = (one[start] + one[end - 1]) / 2
            middle = start + -(-(end - start) // 2)
            row[next((t for t in range(start + 1, end) if one[t] > half), middle) - 1] = True
    return begins


def bins_of(arc: torch.Tensor, width: float) -> torch.Tensor:
    """Width 0 parts all steps whose arc lengths differ."""
    return arc if width == 0 else torch.floor(arc / width + EDGE_TOLERANCE)


def plan_ordered(
    arc: torch.Tensor, groups: torch.Tensor, width: float, representative: str = "mean"
) -> torch.Tensor:
    """[n, t], [n, t] -> [n, t, t]: rows of the plan, those past the kept steps empty.

    No gradient flows through the choice of bin."""
    member = members_of(groups)
    if representative == "middle":
        return middles_of(member).to(arc.dtype)
    if width == 0:
        kernel = torch.ones_like(arc)
    else:
        centre = (bins_of(arc.detach(), width) + 0.5) * width
        # At least half within a bin; a length that rounding put on its edge comes near that.
        kernel = (1 - (arc - centre).abs() / width).clamp_min(0.1)
    weights = torch.where(member, kernel[:, None], 0.0)
    return weights / weights.sum(2, keepdim=True).clamp_min(1e-12)


def members_of(groups: torch.Tensor) -> torch.Tensor:
    """[n, t] -> [n, t, t]: whether step t is of group b."""
    return groups[:, None] == torch.arange(groups.shape[1], device=groups.device)[:, None]


def middles_of(member: torch.Tensor) -> torch.Tensor:
    """[n, t, t] -> the same with the middle step of each group alone, the earlier one of two."""
    rank = member.long().cumsum(2)
    return member & (rank == (rank[:, :, -1:] + 1) // 2)


def rows_of(embeddings: torch.Tensor, sampling: Sampling, top: int = 1):
    """Yields (clip indices, plans [clips, kept, t], counts [clips, kept]) of clips that keep equally many
    steps; counts say for how many steps each kept one stands."""
    arc = arc_lengths(embeddings, sampling.noise_floor, top)
    groups = groups_of(arc, sampling.width, sampling.min_steps)
    kept = groups[:, -1] + 1
    if sampling.record is not None:
        sampling.record.append((kept, arc[:, -1]))
    plans = plan_ordered(arc, groups, sampling.width, sampling.representative)
    counts = members_of(groups).sum(2)
    for count in kept.unique().tolist():
        chosen = (kept == count).nonzero().flatten()
        yield chosen, plans[chosen, :count], counts[chosen, :count]


def pool_rows(plans: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """[n, kept, t] x [n, c, t, h, w] -> [n, c, kept, h, w], channels last."""
    n, c, t, h, w = features.shape
    steps = features.permute(0, 2, 3, 4, 1).reshape(n, t, h * w * c)
    return torch.bmm(plans.to(steps.dtype), steps).reshape(n, -1, h, w, c).permute(0, 4, 1, 2, 3)
