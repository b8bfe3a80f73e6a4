"""One network of the study: how it is trained, from scratch or from another run, and written as a model of
the product."""

import hashlib
import json
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from labels import LABELS
from losses import compute_term, distillation_loss, label_loss
from network import Network, export_network
from sgs import Sampling
from study_clips import StudyClips

DELTA = 0.3
DELTA_SPREAD = 1.6
COMPUTE = 0.01
DENSE_SHARE = 0.25
STRIDES = (1, 2, 3, 4)
# Of the loss of runs that go on from another: that they say what it says.
DISTIL = 0.5


@dataclass(frozen=True)
class Shape:
    """What all networks of the study have in common."""

    frames: int
    fps: float
    size: int
    width: float


STUDY = Shape(frames=16, fps=7.5, size=48, width=0.25)
# Of 16 clips, from scratch: 28 epochs of 224 clips.
STEPS, RATE = 392, 3e-3


@dataclass(frozen=True)
class Plan:
    """One run. `sampling`: None (dense), `ordered` or `uniform`, each step of training with a random δ or
    stride.

    `parent` is the run whose weights it goes on from: SGS learns in a network that was trained dense
    first."""

    name: str
    variant: str
    seed: int
    steps: int
    rate: float
    after: str | None = None
    sampling: str | None = None
    parent: str | None = None


def train(plan: Plan, shape: Shape, clips: StudyClips, out: Path, pause: Path | None) -> None:
    """Trains and writes `out/model.safetensors` and manifest; goes on from `out/checkpoint.pt`; nothing to do
    where the manifest is."""
    if (out / "manifest.json").exists():
        return
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(plan.seed)
    description = export_network(network_options(plan, shape))
    model = Network(description, dropout=0.1)
    if plan.after:
        with torch.no_grad():
            model.tensor("SGS.bn.weight").fill_(0.2)
    parent = None
    if plan.parent:
        weights = torch.load(out.parent / plan.parent / "checkpoint.pt", weights_only=False)["average"]
        # SGS of a network that was trained without stays as it was made.
        model.adopt(weights, partial=True)
        parent = Network(export_network(network_options(replace(plan, after=None), shape))).eval()
        parent.adopt(weights)
    # Runs that go on from another keep its batch-norm statistics: clips of different kept steps then do not
    # disturb each other.
    model.frozen_statistics = plan.parent is not None
    run = Run(plan, model, parent)
    run.resume(out / "checkpoint.pt")
    run.train(clips, out / "checkpoint.pt", pause)
    model.adopt(run.average)
    write_model(plan, shape, model, run.history, out)


def network_options(plan: Plan, shape: Shape) -> dict:
    sgs = {"after": plan.after, "boundary": "nearest_complete", "embedding": {"kind": "learned", "size": 16}}
    return {
        "variant": plan.variant,
        "frames": shape.frames,
        "height": shape.size,
        "width": shape.size,
        "classes": len(LABELS),
        "widthMultiplier": shape.width,
        "stem": "dense",
        "input": {"kind": "motion"},
        **({"sgs": sgs} if plan.after else {}),
    }


class Run:
    """What a checkpoint holds, and how a step changes it."""

    def __init__(self, plan: Plan, model: Network, parent: Network | None):
        self.plan, self.model, self.parent = plan, model, parent
        self.step, self.history, self.seconds = 0, [], 0.0
        self.rng = np.random.default_rng([plan.seed, 7])
        decayed = [p for p in model.parameters() if p.dim() > 1]
        plain = [p for p in model.parameters() if p.dim() <= 1]
        groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=plan.rate)
        self.average = {name: value.detach().clone() for name, value in model.tensors().items()}

    def resume(self, file: Path) -> None:
        if not file.exists():
            return
        state = torch.load(file, weights_only=False)
        self.model.adopt(state["model"])
        self.average, self.step, self.history = state["average"], state["step"], state["history"]
        self.seconds = state["seconds"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.bit_generator.state = state["rng"]
        torch.set_rng_state(state["torch_rng"])

    def save(self, file: Path) -> None:
        state = {
            "model": self.model.tensors(),
            "average": self.average,
            "step": self.step,
            "history": self.history,
            "seconds": self.seconds,
            "optimizer": self.optimizer.state_dict(),
            "rng": self.rng.bit_generator.state,
            "torch_rng": torch.get_rng_state(),
        }
        partial = file.with_suffix(".partial")
        torch.save(state, partial)
        partial.rename(file)

    def train(self, clips: StudyClips, file: Path, pause: Path | None) -> None:
        self.model.train()
        losses = []
        while self.step < self.plan.steps:
            while pause is not None and pause.exists():
                time.sleep(1)
            started = time.perf_counter()
            losses.append(self.update(*clips.batch(self.step, self.rng)))
            self.seconds += time.perf_counter() - started
            self.step += 1
            if self.step % 50 == 0 or self.step == self.plan.steps:
                entry = {"step": self.step, "loss": round(float(np.mean(losses)), 4)}
                self.history.append(entry)
                losses = []
                self.save(file)
                print(
                    f"{self.plan.name}: step {self.step}/{self.plan.steps} "
                    f"loss {entry['loss']:.3f} {self.seconds:.0f} s",
                    flush=True,
                )

    def update(self, clips: torch.Tensor, targets: torch.Tensor) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, self.plan)
        logits, extra = self.forward(clips)
        loss = self.loss(logits, clips, targets)
        self.optimizer.zero_grad(set_to_none=True)
        (loss + extra).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()
        self.follow()
        return loss.item()

    def loss(self, logits: torch.Tensor, clips: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        labels = label_loss(logits, targets).mean()
        if self.parent is None:
            return labels
        with torch.no_grad():
            said = self.parent(clips)
        return (1 - DISTIL) * labels + DISTIL * distillation_loss(logits, said, targets).mean()

    def forward(self, clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | float]:
        """(logits, compute term)."""
        if self.plan.sampling is None or self.rng.random() < DENSE_SHARE:
            return self.model(clips), 0.0
        if self.plan.sampling == "uniform":
            return self.model.strided(clips, int(self.rng.choice(STRIDES))), 0.0
        delta = DELTA * math.exp(self.rng.uniform(-DELTA_SPREAD, DELTA_SPREAD))
        how = Sampling(delta, record=[])
        logits = self.model(clips, how)
        return logits, COMPUTE * compute_term(how.record[0][1].float(), DELTA, clips.shape[1] // 2)

    @torch.no_grad()
    def follow(self) -> None:
        """Moving average of all tensors; the average is what is evaluated."""
        decay = min(0.98, (1 + self.step) / (10 + self.step))
        for name, value in self.model.tensors().items():
            self.average[name].lerp_(value, 1 - decay)


def learning_rate(step: int, plan: Plan) -> float:
    warm = min(1.0, (step + 1) / 20)
    return plan.rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / plan.steps)))


def write_model(plan: Plan, shape: Shape, model: Network, history: list, out: Path) -> None:
    file = out / "model.safetensors"
    save_file({name: value.detach().float().contiguous() for name, value in model.tensors().items()}, file)
    sampler = (
        {"kind": "ordered", "width": DELTA, "distance": "l2"}
        if plan.sampling == "ordered"
        else {"kind": "none"}
    )
    manifest = {
        "id": plan.name,
        "version": f"seed-{plan.seed}",
        "network": model.description["options"],
        "labels": list(LABELS),
        "background": "background",
        "activation": "sigmoid",
        "sampler": sampler,
        "clip": {"fps": shape.fps, "stride": shape.frames // 2},
        "weights": {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()},
    }
    (out / "history.json").write_text(json.dumps(history) + "\n")
    partial = out / "manifest.partial"
    partial.write_text(json.dumps(manifest, indent=2) + "\n")
    partial.rename(out / "manifest.json")
