"""Curves of a run as a picture."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


def plot_history(history: list[dict], path: Path) -> None:
    steps = [entry["step"] for entry in history]
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.6), constrained_layout=True)
    axes[0].plot(steps, [entry["loss"] for entry in history])
    axes[0].set(title="training loss", xlabel="step")
    axes[1].plot(steps, [entry["kept"] for entry in history])
    axes[1].set(title="mean kept steps (random δ)", xlabel="step", ylim=(0, None))
    for how in ("dense", "ordered"):
        held = [entry for entry in history if how in entry]
        at = [entry["step"] for entry in held]
        axes[2].plot(at, [entry[how]["fight-surv"]["auc"] for entry in held], label=f"fight AUC, {how}")
        axes[2].plot(at, [entry[how]["ut-interaction"]["top1"] for entry in held], "--", label=f"interactions top-1, {how}")
    axes[2].set(title="held-out groups", xlabel="step", ylim=(0, 1))
    if axes[2].lines:
        axes[2].legend(fontsize=7)
    figure.savefig(path, dpi=110)
    plt.close(figure)
