"""The shipped model from the data folder: teacher, student, sampling, upper part, one after another; goes on
from what is there (README.md).

    python training/recipe.py --out .cache/recipe --scenes .cache/scenes

Twelve minutes on an H100; a CPU of two cores would take days. `--quick` runs every stage for a few steps,
which shows that all of them work."""

import argparse
import subprocess
import sys
from pathlib import Path

from arithmetic import add_arithmetic, arithmetic_flags

HERE = Path(__file__).resolve().parent
# The last of two values of an option counts.
QUICK_TRAIN = ["--batch", 4, "--steps", 4, "--epoch", 2]
QUICK_UPPER = ["--real-clips", 32, "--scene-clips", 32, "--epochs", 2]


def main() -> None:
    args, more = parse_arguments()
    kinetics, *runs = (
        args.out / name for name in ("kinetics.safetensors", "teacher", "student", "sampled", "upper")
    )
    teacher, student, sampled, upper = runs
    common = [
        "--data",
        args.data,
        "--cache",
        args.cache,
        "--scenes",
        args.scenes,
        *more,
        *(QUICK_TRAIN if args.quick else []),
    ]
    if not kinetics.exists():
        python("kinetics.py", kinetics)
    # I3D of Kinetics-400 learns the labels of the data folder from grey frames.
    teach = [
        "--teacher",
        "--weights",
        kinetics,
        "--size",
        160,
        "--batch",
        64,
        "--steps",
        577,
        "--lr",
        3e-4,
        "--average",
        0.99,
    ]
    python("train.py", *teach, *common, "--out", teacher)
    # S3D-G, dense and from scratch, learns from the labels and from the teacher's logits and features.
    few = arithmetic_flags(args)
    python(
        "train.py", "--teachers", teacher, "--mixing", 0.5, "--steps", 1410, *few, *common, "--out", student
    )
    # It goes on with SGS and learns to say after few steps what it and the teacher said after all.
    goes_on = [
        "--sampled",
        "--start-from",
        student,
        "--teachers",
        student,
        teacher,
        "--distil",
        0.8,
        "--mixing",
        0.5,
    ]
    sampling = ["--delta", 1.2, "--delta-spread", -1.1, 0.9, "--compute", 0.02, "--allocation", 0.05]
    rate = ["--batch", 160, "--steps", 316, "--lr", 4e-4, "--warmup", 40, "--average", 0.99, "--epoch", 50]
    python("train.py", *goes_on, *sampling, *rate, *few, *common, "--out", sampled)
    # Above MaxPool_4a it goes on with scenes that are told when actions begin and end, and with what it and
    # the teacher say together.
    places = ["--data", args.data, "--cache", args.cache, "--scenes", args.scenes, *few]
    python(
        "upper.py",
        sampled,
        upper,
        "--teachers",
        teacher,
        "--delta",
        1.2,
        *places,
        *(QUICK_UPPER if args.quick else []),
    )


def python(script: str, *arguments) -> None:
    print(f"--- {script} {' '.join(map(str, arguments))}", flush=True)
    done = subprocess.run([sys.executable, HERE / script, *map(str, arguments)])
    if done.returncode != 0:
        raise SystemExit(
            f"{script} ended with code {done.returncode}; the same command goes on from its last checkpoint"
        )


def parse_arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    root = HERE.parent
    parser.add_argument("--data", type=Path, default=root / "../shared/data")
    parser.add_argument("--cache", type=Path, default=root / ".cache/training")
    parser.add_argument("--scenes", type=Path, required=True, help="videos of tools/scene with their truth")
    parser.add_argument("--out", type=Path, default=root / ".cache/recipe")
    parser.add_argument(
        "--quick", action="store_true", help="a few steps a stage: a trial of the recipe, not a model"
    )
    add_arithmetic(parser)
    return parser.parse_known_args()


if __name__ == "__main__":
    main()
