"""Trains S3D-G with SGS on the data folder: see README.md. Resumes from the newest checkpoint of --out."""

import argparse
import contextlib
import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from clips import ClipSampler
from data import fold_of, load_scenes, load_videos
from evaluate import short_clip_figures
from labels import INTERACTIONS, LABELS
from losses import compute_term, label_loss
from network import Network, export_network
from plot import plot_history
from sgs import Sampling

WORKERS = 2
# Frames a step of the lower half: one step of context is all it can see of the stream before a clip.
TEMPORAL_STRIDE = 2
FIR_ACTIONS = ("falling", "falling", "standup", "sitdown", "lying")
SCENE_ACTIONS = ("fight", *INTERACTIONS, *INTERACTIONS, "falling", "falling", "standup", "sitdown", "lying", "walk", "", "")
FIR_REST = ("walk", "sit", "active", "sleeping", "fallen", "")


def main() -> None:
    args = parse_arguments()
    torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    description = export_network(network_options(args))
    (args.out / "network.json").write_text(json.dumps(description))
    videos = load_videos(args.data, args.cache, "shared-train")
    folds = fold_of(videos)
    held = [v for v in videos if folds[v.group] == args.hold_out]
    used = [v for v in videos if folds[v.group] != args.hold_out]
    used += load_scenes(args.scenes, args.cache) if args.scenes else []
    samplers = [ClipSampler(used, args.frames, args.fps, args.size, args.seed + 1000 * i) for i in range(WORKERS)]
    run = Run(args, [Network(description) for _ in samplers], samplers)
    run.resume()
    run.train(held)


def network_options(args: argparse.Namespace) -> dict:
    return {
        "variant": "s3d-g", "frames": args.frames, "height": args.size, "width": args.size,
        "classes": len(LABELS), "widthMultiplier": args.width, "stem": "dense", "input": {"kind": "motion"},
        "sgs": {
            "after": "Conv_2b", "boundary": "nearest_complete",
            "embedding": {"kind": "learned", "size": args.embedding},
        },
    }  # fmt: skip


class Run:
    """The state of one training run: what a checkpoint holds, and how a step changes it.

    A batch is halved between two threads of one core each: they meet once a step, so a busy machine slows them less
    than threads inside every operation would. The halves share parameters; batch-norm statistics are averaged.
    """

    def __init__(self, args: argparse.Namespace, models: list[Network], samplers: list[ClipSampler]):
        self.args, self.model, self.models, self.samplers = args, models[0], models, samplers
        for replica in models[1:]:
            replica.values = self.model.values
        self.pool = ThreadPoolExecutor(WORKERS, initializer=torch.set_num_threads, initargs=(1,))
        self.step, self.spent_s, self.history = 0, 0.0, []
        self.rng = np.random.default_rng(args.seed)
        with torch.no_grad():
            self.model.tensor("SGS.bn.weight").fill_(0.2)
        decayed = [p for p in self.model.parameters() if p.dim() > 1]
        plain = [p for p in self.model.parameters() if p.dim() <= 1]
        groups = [{"params": decayed, "weight_decay": args.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=args.lr)
        self.average = {name: value.detach().clone() for name, value in self.model.tensors().items()}

    @property
    def checkpoint(self) -> Path:
        return self.args.out / "checkpoint.pt"

    def resume(self) -> None:
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint, weights_only=False)
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.spent_s, self.history = state["step"], state["spent_s"], state["history"]
            for rng, kept in zip([self.rng, *(s.rng for s in self.samplers)], state["rng"]):
                rng.bit_generator.state = kept
            torch.set_rng_state(state["torch_rng"])
            print(f"resumed at step {self.step}", flush=True)
        elif self.args.start_from:
            state = torch.load(self.args.start_from, weights_only=False)
            state["model"] = state["average"]
        else:
            return
        self.swap(state["model"])
        self.average = state["average"]

    def save(self) -> None:
        state = {
            "model": self.model.tensors(), "average": self.average, "optimizer": self.optimizer.state_dict(),
            "step": self.step, "spent_s": self.spent_s, "history": self.history, "torch_rng": torch.get_rng_state(),
            "rng": [rng.bit_generator.state for rng in (self.rng, *(s.rng for s in self.samplers))],
        }  # fmt: skip
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.rename(self.checkpoint)

    def train(self, held: list) -> None:
        args, since, losses = self.args, time.time(), []
        for model in self.models:
            model.train()
        while self.progress() < 1:
            wait_while(args.pause_file)
            began = time.time()
            for sampler in self.samplers:
                sampler.size = args.small_size if self.progress() < args.small_until else args.size
            losses.append(self.update())
            self.step += 1
            self.spent_s += time.time() - began
            if self.step % 10 == 0:
                rate = (time.time() - since) / len(losses)
                loss, kept = np.mean([x[0] for x in losses]), np.mean([x[1] for x in losses if x[1]] or [0])
                print(f"step {self.step} ({self.progress():.1%}) loss {loss:.3f} kept {kept:.1f} {rate:.2f} s/step", flush=True)
            if self.step % args.epoch == 0 or self.progress() >= 1:
                self.report(held, losses)
                since, losses = time.time(), []

    def progress(self) -> float:
        """Share of the run that is done: of its steps or, where a time is set, of its time. Pauses do not count."""
        return self.spent_s / (60 * self.args.minutes) if self.args.minutes else self.step / self.args.steps

    def update(self) -> tuple[float, float | None]:
        """One step. Some batches run dense, the others sampled with a random δ around args.delta."""
        args = self.args
        rate = learning_rate(self.step, self.progress(), args)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        dense = self.rng.random() < args.dense_share
        delta = None if dense else args.delta * math.exp(self.rng.uniform(*args.delta_spread))
        halves = list(self.pool.map(lambda i: self.gradients(i, delta), range(WORKERS)))
        for parameter, *found in zip(self.model.parameters(), *(half[0] for half in halves)):
            found = [gradient for gradient in found if gradient is not None]
            parameter.grad = sum(found) / WORKERS if found else None
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()
        self.share_statistics()
        self.follow()
        kept = [count for half in halves for count in half[2]]
        return sum(half[1] for half in halves) / WORKERS, float(np.mean(kept)) if kept else None

    def gradients(self, worker: int, delta: float | None):
        """(gradients, label loss, kept steps) of one half of the batch."""
        args, model, sampler = self.args, self.models[worker], self.samplers[worker]
        # Half of the batches continue a stream, the others begin one (docs/adr/0019).
        context = int(sampler.rng.random() < 0.5)
        plan = batch_plan(sampler.rng, worker, bool(sampler.pools["scene"]))
        clips, targets = sampler.batch(plan, before=context * TEMPORAL_STRIDE)
        clips, mixing = mix_up(clips, targets, args.mixing, sampler.rng)
        sampling = None if delta is None else Sampling(delta, args.noise_floor, chunks=1, record=[])
        logits = model(clips, sampling, context)
        loss = total = sum(share * label_loss(logits, part) for part, share in mixing)
        if sampling is not None:
            total = loss + args.compute * compute_term(sampling.record, args.delta, args.frames // TEMPORAL_STRIDE)
        gradients = torch.autograd.grad(total, list(self.model.parameters()), allow_unused=True)
        return gradients, loss.item(), [] if sampling is None else [count for count, _ in sampling.record]

    @torch.no_grad()
    def share_statistics(self) -> None:
        for buffers in zip(*(model.buffers() for model in self.models)):
            mean = torch.stack(buffers).mean(0)
            for buffer in buffers:
                buffer.copy_(mean)

    @torch.no_grad()
    def follow(self) -> None:
        """Moving average of all tensors, batch-norm statistics too."""
        decay = min(self.args.average, (1 + self.step) / (10 + self.step))
        for name, value in self.model.tensors().items():
            self.average[name].lerp_(value, 1 - decay)

    @contextlib.contextmanager
    def averaged(self):
        own = {name: value.detach().clone() for name, value in self.model.tensors().items()}
        self.swap(self.average)
        self.model.eval()
        yield self.model
        self.model.train()
        self.swap(own)

    @torch.no_grad()
    def swap(self, tensors: dict) -> None:
        for model in self.models:
            for name, value in model.tensors().items():
                value.copy_(tensors[name])

    def report(self, held: list, losses: list) -> None:
        args = self.args
        entry = {"step": self.step, "loss": float(np.mean([loss for loss, _ in losses]))}
        entry["kept"] = float(np.mean([kept for _, kept in losses if kept] or [0]))
        if held:
            with self.averaged() as model:
                how = {"fps": args.fps, "stride": args.frames // 2}
                entry["dense"] = short_clip_figures(model, held, **how, sampling=None)
                ordered = lambda record: Sampling(args.delta, args.noise_floor, record=record)  # noqa: E731
                entry["ordered"] = short_clip_figures(model, held, **how, sampling=ordered)
        self.history.append(entry)
        self.save()
        (args.out / "history.json").write_text(json.dumps(self.history, indent=1))
        plot_history(self.history, args.out / "curves.png")
        print(json.dumps(entry), flush=True)


def batch_plan(rng: np.random.Generator, worker: int, scenes: bool) -> list[str]:
    """Pools of one half: all six interactions, and over both halves as many clips of fights as of none."""
    fir = [f"fir:{rng.choice(FIR_ACTIONS)}", f"fir:{rng.choice(FIR_REST if worker else FIR_ACTIONS)}"]
    drawn = [f"scene:{label}" for label in rng.choice(SCENE_ACTIONS, 2)] if scenes else []
    turn = INTERACTIONS[worker::WORKERS]
    return ["fight"] * 2 + ["no_fight"] * 2 + list(turn) + ["none"] * worker + fir + drawn


def mix_up(clips: torch.Tensor, targets: torch.Tensor, share: float, rng: np.random.Generator):
    """Blends each clip with the next (mixup, Zhang et al. 2018) in `share` of the batches: (clips, [(targets, weight)])."""
    if rng.random() >= share:
        return clips, [(targets, 1.0)]
    own = max(rng.beta(0.4, 0.4), 1e-3)
    order = torch.from_numpy(rng.permutation(len(clips)))
    return clips.lerp(clips[order], 1 - own), [(targets, own), (targets[order], 1 - own)]


def learning_rate(step: int, progress: float, args: argparse.Namespace) -> float:
    warm = min(1.0, (step + 1) / args.warmup)
    return args.lr * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def wait_while(path: Path | None) -> None:
    """Another user of the machine asks for quiet by creating this file."""
    while path is not None and path.exists():
        time.sleep(2)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    root = Path(__file__).resolve().parent.parent
    parser.add_argument("--data", type=Path, default=root / "../shared/data")
    parser.add_argument("--cache", type=Path, default=root / ".cache/training")
    parser.add_argument("--out", type=Path, default=root / ".cache/run")
    parser.add_argument("--start-from", type=Path, help="checkpoint whose averaged weights to begin with")
    parser.add_argument("--hold-out", type=int, default=-1, help="fold of groups kept for validation; -1: none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--minutes", type=float, help="length of the run in minutes of training, in place of --steps")
    parser.add_argument("--scenes", type=Path, help="folder of videos of tools/scene with their truth")
    parser.add_argument("--mixing", type=float, default=0.3, help="share of batches whose clips are blended in pairs")
    parser.add_argument("--epoch", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--small-size", type=int, default=80, help="picture size of the first steps: twice as fast")
    parser.add_argument("--small-until", type=float, default=0, help="share of the run")
    parser.add_argument("--warmup", type=int, default=60)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--average", type=float, default=0.99)
    parser.add_argument("--width", type=float, default=0.5)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--fps", type=float, default=10)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--embedding", type=int, default=32)
    parser.add_argument("--delta", type=float, default=1.0)
    parser.add_argument("--delta-spread", type=float, nargs=2, default=(-2.5, 0.3), help="of ln δ around --delta")
    parser.add_argument("--noise-floor", type=float, default=0.0)
    parser.add_argument("--dense-share", type=float, default=0.3)
    parser.add_argument("--compute", type=float, default=0.01, help="weight of the compute term")
    parser.add_argument("--pause-file", type=Path, help="training waits while this file exists")
    return parser.parse_args()


if __name__ == "__main__":
    main()
