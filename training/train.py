"""One stage of training S3D-G with SGS on the data folder: see README.md. Resumes from the newest checkpoint
of --out."""

import argparse
import contextlib
import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from arithmetic import add_arithmetic, sampling_with, with_arithmetic
from augment import augment, mix_up
from clips import ClipSampler
from data import fold_of, load_scenes, load_videos
from evaluate import figures, predict_all
from labels import LABELS, UNKNOWN
from losses import allocation_term, compute_term, distillation_loss, label_loss
from network import Network, export_network, load_checkpoint
from plot import plot_history
from sgs import Sampling
from store import FrameStore

# Frames a step of the lower half: one step of context is all it can see of the stream before a clip.
TEMPORAL_STRIDE = 2
# Share of batches that a sampled stage runs dense.
DENSE_SHARE = 0.15


def main() -> None:
    args = parse_arguments()
    torch.manual_seed(args.seed)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    # Trying out algorithms pays where shapes stay the same; sampled clips come in batches of every size.
    torch.backends.cudnn.benchmark = not args.sampled
    args.out.mkdir(parents=True, exist_ok=True)
    description = (
        json.loads(args.network.read_text()) if args.network else export_network(network_options(args))
    )
    (args.out / "network.json").write_text(json.dumps(description))
    videos = load_videos(args.data, args.cache, "shared-train")
    folds = fold_of(videos)
    held = [v for v in videos if folds[v.group] == args.hold_out]
    used = [v for v in videos if folds[v.group] != args.hold_out]
    used += load_scenes(args.scenes, args.cache) if args.scenes else []
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    store = FrameStore(used + held, device)
    run = Run(
        args,
        Network(description, args.dropout).to(device),
        ClipSampler(store, used, args.frames, args.fps, args.seed),
    )
    run.resume()
    run.train(held)


def network_options(args: argparse.Namespace) -> dict:
    shape = {"frames": args.frames, "height": args.size, "width": args.size, "classes": len(LABELS)}
    if args.teacher:
        colours = {"kind": "rgb", "mean": [0.5] * 3, "std": [0.5] * 3}
        return {**shape, "variant": "i3d", "padding": "same", "input": colours}
    options = {
        **shape,
        "variant": "s3d-g",
        "widthMultiplier": args.width,
        "stem": "dense",
        "input": {"kind": "motion"},
        "sgs": {
            "after": "Conv_2b",
            "boundary": "nearest_complete",
            "embedding": {"kind": "learned", "size": args.embedding},
        },
    }
    return with_arithmetic(options, args)


class Run:
    """The state of one training run: what a checkpoint holds, and how a step changes it."""

    def __init__(self, args: argparse.Namespace, model: Network, sampler: ClipSampler):
        self.args, self.model, self.sampler, self.store = args, model, sampler, sampler.store
        self.device = self.store.frames.device
        self.step, self.spent_s, self.history = 0, 0.0, []
        self.rng = np.random.default_rng(args.seed)
        self.teachers = [load_checkpoint(path, self.device) for path in args.teachers]
        # From the network's pooled features to each teacher's; of no use after training.
        self.bridges = [self.bridge(teacher) for teacher in self.teachers]
        model.frozen_statistics = args.sampled
        self.optimizer = torch.optim.AdamW(self.groups(), lr=args.lr)
        self.average = {name: value.detach().clone() for name, value in model.tensors().items()}

    def bridge(self, teacher: Network) -> torch.nn.Linear:
        channels = [network.tensor("Head.weight").shape[1] for network in (self.model, teacher)]
        bridge = torch.nn.Linear(*channels).to(self.device)
        if channels[0] == channels[1]:
            torch.nn.init.eye_(bridge.weight)
        return bridge

    def groups(self) -> list[dict]:
        """Parameters by weight decay and rate: what is new in a network that has learned already, its head or
        SGS, learns faster."""
        named = [(name, p) for name, p in self.model.tensors().items() if p.requires_grad]
        named += [("bridge", p) for bridge in self.bridges for p in bridge.parameters()]
        groups: dict[tuple, list] = {}
        for name, parameter in named:
            decay = self.args.weight_decay if parameter.dim() > 1 else 0.0
            fresh = (self.args.weights and name.startswith("Head")) or (
                self.args.sampled and name.startswith("SGS")
            )
            rate = 10.0 if fresh else 1.0
            groups.setdefault((decay, rate), []).append(parameter)
        return [
            {"params": found, "weight_decay": decay, "rate": rate} for (decay, rate), found in groups.items()
        ]

    @property
    def checkpoint(self) -> Path:
        return self.args.out / "checkpoint.pt"

    def resume(self) -> None:
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint, weights_only=False, map_location="cpu")
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.spent_s, self.history = state["step"], state["spent_s"], state["history"]
            for rng, kept in zip((self.rng, self.sampler.rng), state["rng"]):
                rng.bit_generator.state = kept
            torch.set_rng_state(state["torch_rng"])
            print(f"resumed at step {self.step}", flush=True)
        elif self.args.start_from:
            state = torch.load(self.args.start_from / "checkpoint.pt", weights_only=False, map_location="cpu")
            state["model"] = state["average"]
        else:
            self.begin()
            return
        self.model.adopt(state["model"])
        self.average = {name: value.to(self.device) for name, value in state["average"].items()}

    def begin(self) -> None:
        tensors = self.model.tensors()
        stored = load_file(self.args.weights) if self.args.weights else {}
        unknown = [
            name
            for name, value in stored.items()
            if name not in tensors or tensors[name].shape != value.shape
        ]
        if unknown:
            raise SystemExit(
                f"{self.args.weights}: {len(unknown)} tensors do not fit the network, "
                f"the first is {unknown[0]}"
            )
        self.model.adopt(stored, partial=True)
        if "SGS.bn.weight" in tensors:
            torch.nn.init.constant_(tensors["SGS.bn.weight"], 0.2)
        self.average = {name: value.detach().clone() for name, value in tensors.items()}

    def save(self) -> None:
        state = {
            "model": self.model.tensors(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "spent_s": self.spent_s,
            "history": self.history,
            "torch_rng": torch.get_rng_state(),
            "rng": [rng.bit_generator.state for rng in (self.rng, self.sampler.rng)],
        }
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.rename(self.checkpoint)

    def train(self, held: list) -> None:
        args, since, losses = self.args, time.time(), []
        self.model.train()
        with ThreadPoolExecutor(1) as ahead:
            drawn = ahead.submit(self.draw)
            while self.progress() < 1:
                began = time.time()
                batch, drawn = drawn.result(), ahead.submit(self.draw)
                losses.append(self.update(*batch))
                self.step += 1
                self.spent_s += time.time() - began
                if self.step % args.epoch == 0 or self.progress() >= 1:
                    self.report(held, losses, (time.time() - since) / len(losses))
                    since, losses = time.time(), []

    def progress(self) -> float:
        """Share of the run that is done: of its steps or, where a time is set, of its time."""
        return self.spent_s / (60 * self.args.minutes) if self.args.minutes else self.step / self.args.steps

    def draw(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Half of the batches continue a stream, the others begin one (docs/adr/0019)."""
        context = int(not self.args.teacher and self.sampler.rng.random() < 0.5)
        return *self.sampler.batch(self.args.batch, before=context * TEMPORAL_STRIDE), context

    def update(
        self, index: np.ndarray, targets: np.ndarray, context: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One step: (loss, kept steps), both still on the device."""
        args = self.args
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate"] * learning_rate(self.step, self.progress(), args)
        size = max([args.size, *(teacher.description["options"]["height"] for teacher in self.teachers)])
        clips = augment(self.store.clips(index), size, args.strength)
        own = torch.from_numpy(targets).to(self.device)
        clips, others, share = mix_up(clips, own, args.mixing)
        with self.autocast():
            sampling = self.sampling()
            logits = self.model(resize(clips, args.size), sampling, context).float()
        loss = (share * label_loss(logits, own) + (1 - share) * label_loss(logits, others)).mean()
        total = loss
        if self.teachers:
            known = torch.where((own == others) | (share[:, None] == 1), own, UNKNOWN)
            taught, features = self.taught(clips, context)
            distillation = distillation_loss(logits, taught, known)
            total = (1 - args.distil) * loss + args.distil * (distillation.mean() + features)
        kept = torch.zeros((), device=self.device)
        if sampling is not None:
            counts, arc = sampling.record[0]
            kept = counts.float().mean()
            total = total + args.compute * compute_term(
                arc.float(), sampling.width, args.frames // TEMPORAL_STRIDE
            )
            if self.teachers:
                regret = (distillation - distillation_loss(taught, taught, known)).detach()
                total = total + args.allocation * allocation_term(regret, arc.float(), sampling.width)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()
        self.follow()
        return loss.detach(), kept

    def sampling(self) -> Sampling | None:
        """A random δ; none, which runs dense, for some batches."""
        args = self.args
        if not args.sampled or self.rng.random() < DENSE_SHARE:
            return None
        return sampling_with(args, args.delta * math.exp(self.rng.uniform(*args.delta_spread)), record=[])

    def taught(self, clips: torch.Tensor, context: int) -> tuple[torch.Tensor, torch.Tensor | float]:
        """Of the teachers on the very clips that the network sees, dense: their mean logits, and how far its
        features are from theirs."""
        frames = clips[:, context * TEMPORAL_STRIDE :]
        logits, apart = [], 0.0
        for teacher, bridge in zip(self.teachers, self.bridges):
            with torch.no_grad(), self.autocast():
                logits.append(teacher(resize(frames, teacher.description["options"]["height"])).float())
            near = F.cosine_similarity(bridge(self.model.pooled.float()), teacher.pooled.float())
            apart = apart + self.args.features * (1 - near).mean() / len(self.teachers)
        return torch.stack(logits).mean(0), apart

    def autocast(self):
        return (
            torch.autocast("cuda", torch.bfloat16) if self.device.type == "cuda" else contextlib.nullcontext()
        )

    @torch.no_grad()
    def follow(self) -> None:
        """Moving average of all tensors, batch-norm statistics too."""
        decay = min(self.args.average, (1 + self.step) / (10 + self.step))
        tensors = self.model.tensors()
        torch._foreach_lerp_([self.average[name] for name in tensors], list(tensors.values()), 1 - decay)

    def report(self, held: list, losses: list, seconds: float) -> None:
        args = self.args
        loss, kept = (torch.stack(values).mean().item() for values in zip(*losses))
        entry = {
            "step": self.step,
            "loss": round(loss, 4),
            "kept": round(kept, 2),
            "seconds": round(seconds, 3),
        }
        if held:
            model = Network(self.model.description).to(self.device).eval()
            model.adopt(self.average)
            sampled = f"ordered:{args.delta}:0:{args.representative}:{args.min_steps}"
            for how in ["dense", *([sampled] if args.sampled else [])]:
                predictions = predict_all(model, self.store, held, args.fps, args.stride, how)
                entry[how.partition(":")[0]] = figures(predictions, args.fps, args.stride, args.frames)
        self.history.append(entry)
        self.save()
        (args.out / "history.json").write_text(json.dumps(self.history, indent=1))
        plot_history(self.history, args.out / "curves.png")
        print(args.out.name, json.dumps(entry), flush=True)


def resize(clips: torch.Tensor, size: int) -> torch.Tensor:
    """[n, t, h, w] -> [n, t, size, size]"""
    if clips.shape[-1] == size:
        return clips
    return F.interpolate(clips, (size, size), mode="bilinear", antialias=True, align_corners=False)


def learning_rate(step: int, progress: float, args: argparse.Namespace) -> float:
    warm = min(1.0, (step + 1) / args.warmup)
    return args.lr * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    root = Path(__file__).resolve().parent.parent
    parser.add_argument("--data", type=Path, default=root / "../shared/data")
    parser.add_argument("--cache", type=Path, default=root / ".cache/training")
    parser.add_argument("--out", type=Path, default=root / ".cache/run")
    parser.add_argument(
        "--network", type=Path, help="what tools/export-network.ts wrote, for a machine without Node"
    )
    parser.add_argument(
        "--teacher",
        action="store_true",
        help="train I3D on the grey frames as a teacher; S3D-G with SGS without it",
    )
    parser.add_argument("--weights", type=Path, help="tensors to begin with, as kinetics.py writes them")
    parser.add_argument("--start-from", type=Path, help="run whose averaged weights to begin with")
    parser.add_argument(
        "--teachers", type=Path, nargs="*", default=[], help="runs whose mean logits to learn from"
    )
    parser.add_argument("--distil", type=float, default=0.7, help="share of the loss that the teachers give")
    parser.add_argument(
        "--features", type=float, default=0.5, help="weight of the teachers' pooled features in it"
    )
    parser.add_argument(
        "--sampled", action="store_true", help="with SGS at a random δ a clip, batch-norm statistics frozen"
    )
    parser.add_argument("--scenes", type=Path, help="folder of videos of tools/scene with their truth")
    parser.add_argument(
        "--hold-out", type=int, default=-1, help="fold of groups kept for validation; -1: none"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--minutes", type=float, help="length of the run in place of --steps")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument(
        "--mixing", type=float, default=0.3, help="share of clips that are blended with another"
    )
    parser.add_argument("--strength", type=float, default=1.0, help="of augmentation")
    parser.add_argument("--dropout", type=float, default=0.4)
    parser.add_argument("--epoch", type=int, default=250, help="steps between checkpoints")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--warmup", type=int, default=100)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--average", type=float, default=0.995)
    parser.add_argument("--width", type=float, default=0.5)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--fps", type=float, default=10)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--stride", type=int, default=6, help="frames between windows of long videos")
    parser.add_argument("--embedding", type=int, default=32)
    parser.add_argument("--delta", type=float, default=1.0)
    parser.add_argument(
        "--delta-spread", type=float, nargs=2, default=(-1.5, 0.7), help="of ln δ around --delta"
    )
    parser.add_argument(
        "--allocation",
        type=float,
        default=0.05,
        help="weight of the term that gives steps to clips that need them",
    )
    parser.add_argument("--compute", type=float, default=0.01, help="weight of the compute term")
    add_arithmetic(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
