"""Masked multi-label loss, and the compute term of SGS."""

import torch
import torch.nn.functional as F

from labels import INDEX, INDOOR, INTERACTIONS, UNKNOWN

SMOOTHING = 0.05


def label_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean over clips of: binary cross entropy over the labels that are known, plus a cross entropy within each set of
    labels that exclude one another, where exactly one of them is true."""
    known = targets != UNKNOWN
    soft = targets.clamp(0, 1) * (1 - SMOOTHING) + SMOOTHING / 2
    binary = F.binary_cross_entropy_with_logits(logits, soft, reduction="none") * known
    # The mean over known labels, doubled where few are known: a fight clip teaches one decision only.
    weight = torch.where(known.sum(1) <= 2, 2.0, 1.0)
    per_clip = weight * binary.sum(1) / known.sum(1).clamp_min(1)
    for names in (INTERACTIONS, ("background", *INDOOR)):
        columns = [INDEX[name] for name in names]
        part = targets[:, columns]
        one = (part != UNKNOWN).all(1) & (part.sum(1) == 1)
        if one.any():
            within = F.cross_entropy(
                logits[one][:, columns], part[one].argmax(1), label_smoothing=SMOOTHING, reduction="none"
            )
            per_clip = per_clip.index_add(0, one.nonzero().flatten(), within)
    return per_clip.mean()


def compute_term(record: list, width: float, steps: int) -> torch.Tensor:
    """Mean of s_T/δ over T': the share of steps kept, made differentiable (rows are about s_T/δ + 1)."""
    lengths = torch.stack([arc for _, arc in record]).float()
    return (lengths / width).mean() / steps
