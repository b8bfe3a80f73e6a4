"""Similarity Guided Sampling, `ordered` (src/sampler/ordered.ts), differentiable: the same arithmetic on a batch of tensors."""

from dataclasses import dataclass

import torch

EDGE_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Sampling:
    """`width` is δ. `record`, a list, receives (kept steps [n], arc length [n])."""

    width: float
    noise_floor: float = 0.0
    record: list | None = None


def arc_lengths(embeddings: torch.Tensor, noise_floor: float = 0.0) -> torch.Tensor:
    """[n, t, size] -> [n, t], in double precision. Gradient: unit vectors of the differences that count."""
    z = embeddings.double()
    anchor, steps = z[:, 0], [z.new_zeros(len(z))]
    for t in range(1, z.shape[1]):
        squared = (z[:, t] - anchor).square().sum(1)
        moved = squared > noise_floor**2
        steps.append(torch.where(moved, torch.where(moved, squared, 1.0).sqrt(), 0.0))
        anchor = torch.where(moved[:, None], z[:, t], anchor)
    return torch.stack(steps, 1).cumsum(1)


def groups_of(arc: torch.Tensor, width: float) -> torch.Tensor:
    """[n, t] -> [n, t]: which of the kept steps each step goes into, from 0; a group is the steps of one bin."""
    bins = bins_of(arc.detach(), width)
    begins = (bins[:, 1:] != bins[:, :-1]).long()
    return torch.cat([begins.new_zeros(len(arc), 1), begins], 1).cumsum(1)


def bins_of(arc: torch.Tensor, width: float) -> torch.Tensor:
    """Width 0 parts all steps whose arc lengths differ."""
    return arc if width == 0 else torch.floor(arc / width + EDGE_TOLERANCE)


def plan_ordered(arc: torch.Tensor, groups: torch.Tensor, width: float) -> torch.Tensor:
    """[n, t], [n, t] -> [n, t, t]: rows of the plan, those past the kept steps empty; no gradient flows through the choice of
    bin."""
    if width == 0:
        kernel = torch.ones_like(arc)
    else:
        centre = (bins_of(arc.detach(), width) + 0.5) * width
        # At least half within a bin; a length that rounding put on its edge comes near that.
        kernel = (1 - (arc - centre).abs() / width).clamp_min(0.1)
    member = groups[:, None] == torch.arange(arc.shape[1], device=arc.device)[:, None]
    weights = torch.where(member, kernel[:, None], 0.0)
    return (weights / weights.sum(2, keepdim=True).clamp_min(1e-12)).float()


def rows_of(embeddings: torch.Tensor, sampling: Sampling):
    """Yields (clip indices, plans [clips, kept, t]) of clips that keep equally many steps."""
    arc = arc_lengths(embeddings, sampling.noise_floor)
    groups = groups_of(arc, sampling.width)
    kept = groups[:, -1] + 1
    if sampling.record is not None:
        sampling.record.append((kept, arc[:, -1]))
    plans = plan_ordered(arc, groups, sampling.width)
    for count in kept.unique().tolist():
        chosen = (kept == count).nonzero().flatten()
        yield chosen, plans[chosen, :count]


def pool_rows(plans: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """[n, kept, t] x [n, c, t, h, w] -> [n, c, kept, h, w], channels last."""
    n, c, t, h, w = features.shape
    steps = features.permute(0, 2, 3, 4, 1).reshape(n, t, h * w * c)
    return torch.bmm(plans.to(steps.dtype), steps).reshape(n, -1, h, w, c).permute(0, 4, 1, 2, 3)
