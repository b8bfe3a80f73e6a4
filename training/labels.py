"""What a dataset's labels say of each of the model's labels: true, false or unknown (masked)."""

import numpy as np

from data import Video

LABELS = (
    "background", "fight", "handshake", "hug", "kick", "point", "punch", "push",
    "walk", "sit_down", "stand_up", "lie_down", "fall",
)  # fmt: skip
INDEX = {label: i for i, label in enumerate(LABELS)}
INTERACTIONS = ("handshake", "hug", "kick", "point", "punch", "push")
INDOOR = ("walk", "sit_down", "stand_up", "lie_down", "fall")
FIR = {"walk": "walk", "sitdown": "sit_down", "standup": "stand_up", "lying": "lie_down", "falling": "fall"}
SCENE = FIR | {name: name for name in ("fight", *INTERACTIONS)}
UNKNOWN = -1.0


def targets_of(video: Video, start_s: float, end_s: float) -> np.ndarray:
    """[labels]: 1 true, 0 false, UNKNOWN where the dataset does not say or the window only touches the
    action."""
    target = np.full(len(LABELS), UNKNOWN, np.float32)
    if video.dataset == "fir-action":
        return timed_targets(video, start_s, end_s, FIR)
    if video.dataset == "scene":
        return scene_targets(video, start_s, end_s)
    label = video.segments[0].label
    if video.dataset == "fight-surv":
        target[INDEX["fight"]] = label == "fight"
        target[INDEX["background"]] = label == "no_fight"
        return target
    for name in INTERACTIONS:
        target[INDEX[name]] = label == name
    target[INDEX["background"]] = label == "none"
    target[INDEX["fall"]] = target[INDEX["sit_down"]] = target[INDEX["lie_down"]] = 0
    # Kicks, punches and pushes may be called a fight or not: unknown. The others are none.
    if label in ("handshake", "hug", "point", "none"):
        target[INDEX["fight"]] = 0
    return target


def scene_targets(video: Video, start_s: float, end_s: float) -> np.ndarray:
    target = timed_targets(video, start_s, end_s, SCENE)
    blows = [INDEX[name] for name in ("kick", "punch", "push")]
    if target[INDEX["fight"]] != 0:
        target[blows] = UNKNOWN
    elif (target[blows] != 0).any():
        target[INDEX["fight"]] = UNKNOWN
    return target


def timed_targets(video: Video, start_s: float, end_s: float, names: dict[str, str]) -> np.ndarray:
    """True where the action fills half of the window or most of it lies inside; false where they do not
    meet."""
    target = np.zeros(len(LABELS), np.float32)
    for segment in video.segments:
        name = names.get(segment.label)
        shared = min(end_s, segment.end_s) - max(start_s, segment.start_s)
        if name is None or shared <= 0.15 * (end_s - start_s):
            continue
        enough = shared >= 0.5 * min(end_s - start_s, segment.end_s - segment.start_s)
        target[INDEX[name]] = 1.0 if enough else max(target[INDEX[name]], UNKNOWN) or UNKNOWN
    actions = target[[INDEX[name] for name in set(names.values())]]
    target[INDEX["background"]] = 1.0 if (actions == 0).all() else 0.0 if (actions == 1).any() else UNKNOWN
    return target
