"""The shipped model from the data folder: teacher, student, sampling, head, one after another; goes on from what is there (README.md).

    python training/recipe.py --out .cache/recipe --scenes .cache/scenes

Twelve minutes on an H100; a CPU of two cores would take days.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    args, more = parse_arguments()
    kinetics, *runs = (args.out / name for name in ("kinetics.safetensors", "teacher", "student", "sampled", "head"))
    teacher, student, sampled, head = runs
    common = ["--data", args.data, "--cache", args.cache, "--scenes", args.scenes, *more]
    if not kinetics.exists():
        python("kinetics.py", kinetics)
    # I3D of Kinetics-400 learns the labels of the data folder from grey frames.
    teach = ["--teacher", "--weights", kinetics, "--size", 160, "--batch", 64, "--steps", 577, "--lr", 3e-4, "--average", 0.99]
    python("train.py", *teach, *common, "--out", teacher)
    # S3D-G, dense and from scratch, learns from the labels and from the teacher's logits and features.
    python("train.py", "--teachers", teacher, "--mixing", 0.5, "--steps", 1410, *common, "--out", student)
    # It goes on with SGS and learns to say after few steps what it and the teacher said after all.
    goes_on = ["--sampled", "--start-from", student, "--teachers", student, teacher, "--distil", 0.8, "--mixing", 0.5]
    sampling = ["--delta", 1.2, "--delta-spread", -1.1, 0.9, "--compute", 0.02, "--allocation", 0.05]
    rate = ["--batch", 160, "--steps", 316, "--lr", 4e-4, "--warmup", 40, "--average", 0.99, "--epoch", 50]
    python("train.py", *goes_on, *sampling, *rate, *common, "--out", sampled)
    places = ["--data", args.data, "--cache", args.cache, "--scenes", args.scenes]
    if not head.exists():
        python("head.py", sampled, head, "--delta", 1.2, *places)


def python(script: str, *arguments) -> None:
    print(f"--- {script} {' '.join(map(str, arguments))}", flush=True)
    done = subprocess.run([sys.executable, HERE / script, *map(str, arguments)])
    if done.returncode != 0:
        raise SystemExit(f"{script} ended with code {done.returncode}; the same command goes on from its last checkpoint")


def parse_arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = HERE.parent
    parser.add_argument("--data", type=Path, default=root / "../shared/data")
    parser.add_argument("--cache", type=Path, default=root / ".cache/training")
    parser.add_argument("--scenes", type=Path, required=True, help="videos of tools/scene with their truth")
    parser.add_argument("--out", type=Path, default=root / ".cache/recipe")
    return parser.parse_known_args()


if __name__ == "__main__":
    main()
