"""Augmentation of a batch of clips on its device: what changes between cameras, and must not matter."""

import torch
import torch.nn.functional as F


def augment(frames: torch.Tensor, size: int, strength: float = 1.0) -> torch.Tensor:
    """[n, t, h, w] uint8 -> [n, t, size, size] in [0, 1]. One view a clip: its frames change alike."""
    x = frames.float().div_(255)
    x = F.grid_sample(
        x, views(len(x), size, strength, x.device), padding_mode="reflection", align_corners=False
    )
    x = other_backgrounds(x, 0.5 * min(1.0, strength))
    x = soften(x, 0.3 * strength)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * spread(x, 0.2 * strength).exp() + mean + spread(x, 0.1 * strength)
    x = flicker(x, 0.2 * strength)
    x = x + torch.randn_like(x) * (uniform(x, 0, 0.03 * strength) * some(x, 0.5))
    return cut_out(x.clamp_(0, 1), 0.3 * strength)


def mix_up(clips: torch.Tensor, targets: torch.Tensor, share: float):
    """Blends each clip of a share of the batch with another (mixup, Zhang et al. 2018): (clips, targets of
    the others, own weight [n])."""
    n, device = len(clips), clips.device
    own = torch.distributions.Beta(0.4, 0.4).sample((n,)).to(device)
    own = torch.where(torch.rand(n, device=device) < share, torch.maximum(own, 1 - own), torch.ones_like(own))
    order = torch.randperm(n, device=device)
    return clips.lerp(clips[order], 1 - own[:, None, None, None]), targets[order], own


def views(n: int, size: int, strength: float, device: torch.device) -> torch.Tensor:
    """Sampling grids [n, size, size, 2]: crop, aspect, rotation, shear, mirror."""
    draw = lambda low, high: torch.rand(n, device=device) * (high - low) + low
    scale = draw(1 - 0.5 * strength, 1.05).sqrt()
    aspect = (draw(-0.25, 0.25) * strength).exp()
    sx, sy = (scale * aspect).clamp_max(1.1), (scale / aspect).clamp_max(1.1)
    cx, cy = draw(-1, 1) * (1 - sx).clamp_min(0), draw(-1, 1) * (1 - sy).clamp_min(0)
    angle = torch.randn(n, device=device) * 0.1 * strength
    shear = torch.randn(n, device=device) * 0.08 * strength
    flip = torch.where(draw(0, 1) < 0.5, -1.0, 1.0)
    rows = [
        flip * sx * angle.cos(),
        sy * (shear - angle.sin()),
        cx,
        flip * sx * angle.sin(),
        sy * angle.cos(),
        cy,
    ]
    return F.affine_grid(torch.stack(rows, 1).view(n, 2, 3), [n, 1, size, size], align_corners=False)


def other_backgrounds(x: torch.Tensor, share: float) -> torch.Tensor:
    """Clips seen through a still of another: a camera's background then tells less (background erasing, Wang
    et al. 2021, "Removing the background by adding the background")."""
    stills = x[torch.randperm(len(x), device=x.device), :1]
    return x.lerp(stills.expand_as(x), uniform(x, 0, 0.5) * some(x, share))


def soften(x: torch.Tensor, share: float) -> torch.Tensor:
    """A lens out of focus, or few pixels."""
    blurred = F.avg_pool2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), 5, 1)
    return x.lerp(blurred, uniform(x, 0, 1) * some(x, share))


def flicker(x: torch.Tensor, share: float) -> torch.Tensor:
    """Light that changes while nothing moves: a gain that wanders, and sometimes a step."""
    n, t = x.shape[:2]
    wander = torch.randn(n, t, device=x.device).cumsum(1) * 0.01
    step = (
        (torch.arange(t, device=x.device) >= torch.randint(1, t, (n, 1), device=x.device))
        * torch.randn(n, 1, device=x.device)
        * 0.15
    )
    gain = (wander + step)[:, :, None, None] * some(x, share)
    return x * gain.exp()


def cut_out(x: torch.Tensor, share: float) -> torch.Tensor:
    n, size = len(x), x.shape[-1]
    at = (torch.arange(size, device=x.device) + 0.5) / size
    inside = []
    for _ in range(2):
        middle, half = torch.rand(n, 1, device=x.device), torch.rand(n, 1, device=x.device) * 0.12 + 0.08
        inside.append((at - middle).abs() < half)
    hidden = (inside[0][:, :, None] & inside[1][:, None, :])[:, None] & (some(x, share) > 0)
    return torch.where(hidden, uniform(x, 0, 1), x)


def some(x: torch.Tensor, share: float) -> torch.Tensor:
    """[n, 1, 1, 1]: 1 for a share of the clips, else 0."""
    return (torch.rand(len(x), 1, 1, 1, device=x.device) < share).to(x.dtype)


def uniform(x: torch.Tensor, low: float, high: float) -> torch.Tensor:
    return torch.rand(len(x), 1, 1, 1, device=x.device) * (high - low) + low


def spread(x: torch.Tensor, deviation: float) -> torch.Tensor:
    return torch.randn(len(x), 1, 1, 1, device=x.device) * deviation
