"""The last stage: what lies above MaxPool_4a learns on with scenes (README.md). Its features are kept, so
that a CPU is enough. On real clips it is held to what the dense network and the teachers say; on scenes it
learns when an action begins and ends."""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from arithmetic import add_arithmetic, with_arithmetic
from labels import UNKNOWN
from losses import distillation_loss, label_loss
from network import Network, load_checkpoint
from upper_features import features_of, halves, replace

# Every so many clips one is kept apart, to report.
APART = 10
WARMUP = 20


def main() -> None:
    args = parse_arguments()
    torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    if (args.out / "checkpoint.pt").exists():
        print(f"{args.out} is complete")
        return
    model = load_checkpoint(args.run, change=lambda options: with_arithmetic(options, args))
    fit = Fit(model, [item for kind in ("real", "scene") for item in features_of(model, args, kind)], args)
    fit.resume()
    fit.train()
    fit.adopt_average()
    (args.out / "network.json").write_text(json.dumps(model.description))
    (args.out / "history.json").write_text(json.dumps(fit.history, indent=1))
    replace(
        args.out / "checkpoint.pt",
        {"average": {name: value.detach() for name, value in model.tensors().items()}},
    )


class Fit:
    """The learning part, its optimizer and its moving average; after each epoch the whole state is kept."""

    def __init__(self, model: Network, items: list[dict], args: argparse.Namespace):
        self.model, self.args, self.learning = model, args, halves(model, args.after)[1]
        self.apart, self.used = items[::APART], [item for i, item in enumerate(items) if i % APART]
        names = {node["name"] for node in self.learning}
        node_of = lambda name: name.partition(".bn.")[0].removesuffix(".weight").removesuffix(".bias")
        tensors = [value for name, value in model.tensors().items() if node_of(name) in names]
        self.trained = [value for value in tensors if isinstance(value, torch.nn.Parameter)]
        self.average = [value.detach().clone() for value in self.trained]
        self.optimizer = torch.optim.AdamW(self.trained, lr=args.lr, weight_decay=args.weight_decay)
        self.rng, self.history, self.step = np.random.default_rng(args.seed), [], 0
        model.frozen_statistics, model.dropout = True, args.dropout

    @property
    def kept(self) -> Path:
        return self.args.out / "fit.pt"

    def resume(self) -> None:
        if not self.kept.exists():
            return
        state = torch.load(self.kept, weights_only=False)
        self.copy_to(self.trained, state["trained"])
        self.average, self.history, self.step = state["average"], state["history"], state["step"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.bit_generator.state = state["rng"]
        torch.set_rng_state(state["torch_rng"])
        print(f"resumed after epoch {len(self.history)}", flush=True)

    def save(self) -> None:
        state = {
            "trained": [value.detach() for value in self.trained],
            "average": self.average,
            "history": self.history,
        }
        state |= {
            "step": self.step,
            "optimizer": self.optimizer.state_dict(),
            "rng": self.rng.bit_generator.state,
        }
        replace(self.kept, state | {"torch_rng": torch.get_rng_state()})

    def train(self) -> None:
        args = self.args
        while len(self.history) < args.epochs:
            self.model.train()
            drawn, losses, since = batches(self.used, args.batch, self.rng), [], time.time()
            for batch in drawn:
                for group in self.optimizer.param_groups:
                    group["lr"] = args.lr * self.rate(len(drawn) * args.epochs)
                loss = self.loss_of(batch).mean()
                self.optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
                self.optimizer.step()
                self.follow()
                losses.append(loss.item())
            self.history.append(
                {"epoch": len(self.history), "loss": round(float(np.mean(losses)), 4), **self.apart_losses()}
            )
            self.save()
            print(json.dumps(self.history[-1]), f"{time.time() - since:.0f} s", flush=True)

    def rate(self, steps: int) -> float:
        return min(1.0, (self.step + 1) / WARMUP) * (
            0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, self.step / steps)))
        )

    @torch.no_grad()
    def follow(self) -> None:
        self.step += 1
        decay = min(self.args.average, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(self.average, [value.detach() for value in self.trained], 1 - decay)

    def adopt_average(self) -> None:
        self.copy_to(self.trained, self.average)
        self.model.eval()

    @staticmethod
    @torch.no_grad()
    def copy_to(to: list, values: list) -> None:
        torch._foreach_copy_(to, values)

    @torch.no_grad()
    def apart_losses(self) -> dict:
        """Loss of the averaged weights on items kept apart."""
        own = [value.detach().clone() for value in self.trained]
        self.adopt_average()
        result = {}
        for kind, real in (("real", True), ("scene", False)):
            drawn = batches(
                [item for item in self.apart if item["real"] == real],
                self.args.batch,
                np.random.default_rng(0),
            )
            result[kind] = round(torch.cat([self.loss_of(batch) for batch in drawn]).mean().item(), 4)
        self.copy_to(self.trained, own)
        return result

    def loss_of(self, batch: list[dict]) -> torch.Tensor:
        """[n] per clip of equally many steps."""
        args = self.args
        at = (
            torch.stack([item["at"] for item in batch])
            .float()
            .contiguous(memory_format=torch.channels_last_3d)
        )
        counts = torch.stack([item["counts"] for item in batch])
        logits = self.model.above(self.learning, args.after, at, counts)
        targets = torch.stack([item["target"] for item in batch])
        real = torch.tensor([item["real"] for item in batch])
        losses = logits.new_zeros(len(batch))
        if real.any():
            taught = torch.stack([item["taught"] for item in batch if item["real"]])
            least = distillation_loss(taught, taught, targets[real])
            held = distillation_loss(logits[real], taught, targets[real]) - least
            losses[real] = (1 - args.hold) * label_loss(
                logits[real], targets[real]
            ) + args.hold * args.hold_weight * held
        if not real.all():
            losses[~real] = args.scene_weight * scene_loss(logits[~real], targets[~real])
        return losses


def scene_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """[n]: binary cross entropy against soft targets, the mean over the labels that are known."""
    known = targets != UNKNOWN
    soft = targets.clamp(0.02, 0.98)
    return (
        4
        * (F.binary_cross_entropy_with_logits(logits, soft, reduction="none") * known).sum(1)
        / known.sum(1).clamp_min(1)
    )


def batches(items: list[dict], size: int, rng: np.random.Generator) -> list[list[dict]]:
    """Clips of equally many kept steps together, in any order."""
    by_steps: dict[int, list[dict]] = {}
    for i in rng.permutation(len(items)):
        by_steps.setdefault(len(items[i]["counts"]), []).append(items[i])
    found = [of[i : i + size] for of in by_steps.values() for i in range(0, len(of), size)]
    return [found[i] for i in rng.permutation(len(found))]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    root = Path(__file__).resolve().parent.parent
    parser.add_argument("run", type=Path, help="folder of the sampled stage")
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--teachers",
        type=Path,
        nargs="*",
        default=[],
        help="runs whose logits are averaged with the dense network's",
    )
    parser.add_argument("--after", default="MaxPool_4a", help="the last node that stays as it is")
    parser.add_argument("--data", type=Path, default=root / "../shared/data")
    parser.add_argument("--cache", type=Path, default=root / ".cache/training")
    parser.add_argument(
        "--scenes", type=Path, required=True, help="folder of videos of tools/scene with their truth"
    )
    parser.add_argument("--real-clips", type=int, default=1760)
    parser.add_argument("--scene-clips", type=int, default=2400)
    parser.add_argument("--delta", type=float, default=1.2)
    parser.add_argument(
        "--delta-spread", type=float, nargs=2, default=(-0.4, 0.3), help="of ln δ around --delta"
    )
    parser.add_argument("--fps", type=float, default=10)
    parser.add_argument(
        "--strength", type=float, nargs=2, default=(0.3, 0.8), help="of augmentation, of a batch"
    )
    parser.add_argument(
        "--mixing", type=float, default=0.3, help="share of real clips that are blended with another"
    )
    parser.add_argument(
        "--hold",
        type=float,
        default=0.7,
        help="share of a real clip's loss that holds to what is taught, ...",
    )
    parser.add_argument("--hold-weight", type=float, default=3.0, help="... and its weight there")
    parser.add_argument("--scene-weight", type=float, default=1.0)
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--weight-decay", type=float, default=0.02)
    parser.add_argument("--average", type=float, default=0.995)
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    add_arithmetic(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
