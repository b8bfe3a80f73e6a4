"""Masked multi-label loss, distillation, and the compute term of SGS."""

import torch
import torch.nn.functional as F

from labels import INDEX, INDOOR, INTERACTIONS, UNKNOWN

SMOOTHING = 0.05
# Labels of a set exclude one another.
EXCLUSIVE = [[INDEX[name] for name in names] for names in (INTERACTIONS, ("background", *INDOOR))]


def label_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """[n] per clip: binary cross entropy over the labels that are known, plus a cross entropy within each set
    of labels that exclude one another, where exactly one of them is true."""
    known = targets != UNKNOWN
    soft = targets.clamp(0, 1) * (1 - SMOOTHING) + SMOOTHING / 2
    binary = F.binary_cross_entropy_with_logits(logits, soft, reduction="none") * known
    # The mean over known labels, doubled where few are known: a fight clip teaches one decision only.
    weight = torch.where(known.sum(1) <= 2, 2.0, 1.0)
    per_clip = weight * binary.sum(1) / known.sum(1).clamp_min(1)
    for columns in EXCLUSIVE:
        part = targets[:, columns]
        one = (part != UNKNOWN).all(1) & (part.sum(1) == 1)
        within = F.cross_entropy(
            logits[:, columns], part.argmax(1), label_smoothing=SMOOTHING, reduction="none"
        )
        per_clip = per_clip + within * one
    return per_clip


def distillation_loss(logits: torch.Tensor, teacher: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """[n] per clip: cross entropies against the teacher's scores (Hinton et al. 2015) for every label, those
    unknown to the dataset too, and within the sets of labels that exclude one another where the dataset knows
    them."""
    binary = F.binary_cross_entropy_with_logits(logits, teacher.sigmoid(), reduction="none")
    per_clip = 2 * binary.mean(1)
    for columns in EXCLUSIVE:
        known = (targets[:, columns] != UNKNOWN).all(1)
        per_clip = per_clip + known * F.cross_entropy(
            logits[:, columns], teacher[:, columns].softmax(1), reduction="none"
        )
    return per_clip


def allocation_term(regret: torch.Tensor, arc: torch.Tensor, width: float) -> torch.Tensor:
    """Lengthens the arcs of clips that lose most by being sampled and shortens those of the others; their
    mean stays.

    `regret` [n] is what a clip's distillation loss lies above its least. The choice of bins has no gradient,
    so nothing else tells the embedding which clips need more steps."""
    relative = ((regret - regret.mean()) / regret.std().clamp_min(1e-6)).clamp(-3, 3)
    return -(relative.detach() * (arc / width + 1).log()).mean()


def compute_term(arc: torch.Tensor, width: float, steps: int) -> torch.Tensor:
    """Mean of s_T/δ over T': the share of steps kept, made differentiable (rows are about s_T/δ + 1)."""
    return (arc / width).mean() / steps
