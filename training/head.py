"""The last stage: fits the classifier anew on features of clips as production samples them; all else stays (README.md).

Scenes weigh more here than in the stages before: actions of scenes are told apart without the real clips being unlearned, since the classifier
is held to what it said before.
"""

import argparse
import json
from pathlib import Path

import torch

from augment import augment
from clips import ClipSampler
from data import load_scenes, load_videos
from losses import distillation_loss, label_loss
from network import Network, load_checkpoint
from sgs import Sampling
from store import FrameStore
from train import TEMPORAL_STRIDE

BATCH = 32


def main() -> None:
    args = parse_arguments()
    torch.manual_seed(args.seed)
    model = load_checkpoint(args.run)
    videos = load_videos(args.data, args.cache, "shared-train") + load_scenes(args.scenes, args.cache)
    options = model.description["options"]
    sampler = ClipSampler(FrameStore(videos, torch.device("cpu")), videos, options["frames"], args.fps, args.seed, args.scene_weight)
    features, targets = collect(model, sampler, args)
    weight, bias = fit(features, targets, model.tensor("Head.weight").detach(), model.tensor("Head.bias").detach(), args.hold)
    average = {name: value.detach() for name, value in model.tensors().items()} | {"Head.weight": weight, "Head.bias": bias}
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "network.json").write_text(json.dumps(model.description))
    torch.save({"average": average}, args.out / "checkpoint.pt")


@torch.no_grad()
def collect(model: Network, sampler: ClipSampler, args: argparse.Namespace) -> tuple[torch.Tensor, torch.Tensor]:
    """Of mildly augmented clips, sampled at δ: pooled features [clips, channels], targets [clips, labels]."""
    size = model.description["options"]["height"]
    features, targets = [], []
    for i in range(0, args.clips, BATCH):
        context = (i // BATCH) % 2
        index, target = sampler.batch(BATCH, before=context * TEMPORAL_STRIDE)
        model(augment(sampler.store.clips(index), size, args.strength), Sampling(args.delta), context)
        features.append(model.pooled)
        targets.append(torch.from_numpy(target))
        if i % 512 == 0:
            print(f"{i} of {args.clips} clips", flush=True)
    return torch.cat(features), torch.cat(targets)


def fit(features: torch.Tensor, targets: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, hold: float):
    """The classifier of least loss, of which the share `hold` is to say what was said before: (weight, bias). Every fifth clip is kept
    apart to report."""
    before = features @ weight.T + bias
    shown = torch.arange(len(features)) % 5 == 0
    new = [weight.clone().requires_grad_(), bias.clone().requires_grad_()]
    optimizer = torch.optim.LBFGS(new, max_iter=200, line_search_fn="strong_wolfe")

    def loss_of(rows: torch.Tensor) -> torch.Tensor:
        logits = features[rows] @ new[0].T + new[1]
        held = distillation_loss(logits, before[rows], targets[rows]) - distillation_loss(before[rows], before[rows], targets[rows])
        drift = (new[0] - weight).square().sum() + (new[1] - bias).square().sum()
        return ((1 - hold) * label_loss(logits, targets[rows]) + hold * held).mean() + 1e-3 * drift

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = loss_of(~shown)
        loss.backward()
        return loss

    with torch.no_grad():
        print(f"before: loss {label_loss(before[~shown], targets[~shown]).mean():.3f}, kept apart {label_loss(before[shown], targets[shown]).mean():.3f}")
    optimizer.step(closure)
    with torch.no_grad():
        after = features @ new[0].T + new[1]
        print(f"after: loss {label_loss(after[~shown], targets[~shown]).mean():.3f}, kept apart {label_loss(after[shown], targets[shown]).mean():.3f}")
    return new[0].detach(), new[1].detach()


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    root = Path(__file__).resolve().parent.parent
    parser.add_argument("run", type=Path, help="folder of the sampled stage")
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=root / "../shared/data")
    parser.add_argument("--cache", type=Path, default=root / ".cache/training")
    parser.add_argument("--scenes", type=Path, required=True)
    parser.add_argument("--scene-weight", type=float, default=4.0, help="of scenes in a batch, against the stages before")
    parser.add_argument("--delta", type=float, default=1.2)
    parser.add_argument("--fps", type=float, default=10)
    parser.add_argument("--clips", type=int, default=4096)
    parser.add_argument("--strength", type=float, default=0.4)
    parser.add_argument("--hold", type=float, default=0.3, help="share of the loss that holds to what was said before")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
