"""Options of the arithmetic of few steps (docs/adr/0027), the same in every stage: of the network and of its
sampler."""

import argparse

from sgs import Sampling


def add_arithmetic(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("arithmetic of few steps (docs/adr/0027)")
    group.add_argument(
        "--temporal-edge", choices=("zero", "edge"), default="zero", help="what stands beside the kept steps"
    )
    group.add_argument(
        "--time-means",
        choices=("plain", "multiplicity"),
        help="default: multiplicity where edges are repeated",
    )
    group.add_argument("--similarity", default="global", help="global, which is learned, or grid:N[:K]")
    group.add_argument("--representative", choices=("mean", "middle"), default="mean")
    group.add_argument("--min-steps", type=int, default=1)


def arithmetic_flags(args: argparse.Namespace) -> list[str]:
    """The options once more, for a script that this one starts."""
    flags = ["--temporal-edge", args.temporal_edge, "--similarity", args.similarity]
    flags += ["--representative", args.representative, "--min-steps", str(args.min_steps)]
    return flags + (["--time-means", args.time_means] if args.time_means else [])


def with_arithmetic(options: dict, args: argparse.Namespace) -> dict:
    """Network options as the arguments ask: edges, means over time and, where there is a cut, by what steps
    are compared."""
    edge = args.temporal_edge == "edge"
    means = args.time_means or ("multiplicity" if edge else "plain")
    changed = dict(options)
    changed |= {"temporalEdge": "edge"} if edge else {}
    changed |= {"timeMeans": means} if means != "plain" else {}
    if args.similarity != "global":
        changed["sgs"] = {**options["sgs"], "embedding": parse_grid(args.similarity)}
    return changed


def parse_grid(text: str) -> dict:
    """grid:N, or grid:N:K for the mean of the K cells that moved most."""
    kind, *numbers = text.split(":")
    if kind != "grid" or len(numbers) not in (1, 2):
        raise SystemExit(f"--similarity {text}: expected global, grid:N or grid:N:K")
    grid, top = int(numbers[0]), int(numbers[1]) if len(numbers) == 2 else 1
    return {"kind": "cells", "grid": grid, "top": top}


def sampling_with(args: argparse.Namespace, width: float, record: list | None = None) -> Sampling:
    return Sampling(width, record=record, representative=args.representative, min_steps=args.min_steps)


def parse_sampling(how: str, record: list | None = None) -> Sampling | None:
    """`dense`, or `ordered:DELTA[:FLOOR[:REPRESENTATIVE[:STEPS]]]`."""
    if how == "dense":
        return None
    _, width, *more = how.split(":")
    floor, representative, steps = [*more, *("0", "mean", "1")[len(more) :]]
    return Sampling(float(width), float(floor), record, representative, int(steps))


def sampling_of_manifest(sampler: dict, record: list | None = None) -> Sampling:
    floor, middle = sampler.get("noiseFloor", 0), sampler.get("representative", "mean")
    return Sampling(sampler["width"], floor, record, middle, sampler.get("minSteps", 1))
