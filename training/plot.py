"""Curves of runs as a picture: `python training/plot.py OUT.png RUN...` puts the stages of a recipe side by
side."""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def plot_history(history: list[dict], path: Path, name: str = "training") -> None:
    plot_runs({name: history}, path)


def plot_runs(histories: dict[str, list[dict]], path: Path) -> None:
    """Of each run the training loss, kept steps where it samples, figures on held-out groups where some are
    held out."""
    panels = [(name, history, draw) for name, history in histories.items() for draw in panels_of(history)]
    figure, axes = plt.subplots(
        1, len(panels), figsize=(3.4 * len(panels), 2.9), constrained_layout=True, squeeze=False
    )
    for axis, (name, history, draw) in zip(axes[0], panels):
        draw(axis, name, history)
        axis.set(xlabel="step", xlim=(0, None), ylim=(0, None))
    figure.savefig(path, dpi=110)
    plt.close(figure)


def panels_of(history: list[dict]) -> list:
    sampled, held = any(entry["kept"] for entry in history), any("dense" in entry for entry in history)
    return [draw_loss, *([draw_kept] if sampled else []), *([draw_held] if held else [])]


def draw_loss(axis, name: str, history: list[dict]) -> None:
    axis.plot([entry["step"] for entry in history], [entry["loss"] for entry in history], marker=".")
    axis.set_title(f"{name}: loss on labels")


def draw_kept(axis, name: str, history: list[dict]) -> None:
    axis.plot([entry["step"] for entry in history], [entry["kept"] for entry in history], marker=".")
    axis.set_title(f"{name}: mean kept steps, random δ")


def draw_held(axis, name: str, history: list[dict]) -> None:
    for how in ("dense", "ordered"):
        for dataset, key, line in (("fight-surv", "auc", "-"), ("ut-interaction", "top1", "--")):
            found = [(entry["step"], entry[how][dataset][key]) for entry in history if how in entry]
            if found:
                axis.plot(*zip(*found), line, marker=".", label=f"{dataset} {key}, {how}")
    axis.set_title(f"{name}: held-out groups")
    axis.legend(fontsize=7)


if __name__ == "__main__":
    out, *runs = map(Path, sys.argv[1:])
    plot_runs({run.name: json.loads((run / "history.json").read_text()) for run in runs}, out)
