"""Episodes of one label over a long video, as src/events finds them, and how they meet the labelled
segments."""

import numpy as np

TOLERANCE_S = 1.5


def episodes(
    starts: np.ndarray, scores: np.ndarray, policy: dict, clip_s: float, stride_s: float
) -> list[tuple]:
    """(start_s, end_s) of runs: smoothed score rises to `on`, lasts while it is >= `off`, slots one stride
    long."""
    smoothed, run, found = None, None, []
    margin = max(0.0, (clip_s - stride_s) / 2)
    for start, score in zip(starts, scores):
        slot = (start + margin, start + margin + stride_s)
        smoothed = score if smoothed is None else smoothed + policy["smoothing"] * (score - smoothed)
        if run is None and smoothed >= policy["on"] and score >= policy["on"]:
            run = list(slot)
        elif run is not None and smoothed >= policy["off"]:
            run[1] = slot[1] if score >= policy["off"] else run[1]
        elif run is not None and slot[1] - run[1] > policy["merge_gap_s"]:
            found.append(tuple(run))
            run = None
    found += [tuple(run)] if run else []
    return [(start, end) for start, end in found if end - start >= policy["min_duration_s"]]


def match(found: list[tuple], truth: list[tuple]) -> dict:
    """A fall is detected if an episode meets it, give or take the tolerance; an episode that meets none is
    false."""
    meets = lambda a, b: a[0] < b[1] + TOLERANCE_S and b[0] - TOLERANCE_S < a[1]
    detected = sum(any(meets(episode, fall) for episode in found) for fall in truth)
    false = sum(not any(meets(episode, fall) for fall in truth) for episode in found)
    return {"falls": len(truth), "detected": detected, "false_alarms": false}


def add_up(parts: list[dict], hours: float) -> dict:
    total = {key: sum(part[key] for part in parts) for key in ("falls", "detected", "false_alarms")}
    reported = total["detected"] + total["false_alarms"]
    denominator = total["falls"] + reported
    return {
        **total,
        "hours": round(hours, 4),
        "f1": 2 * total["detected"] / denominator if denominator else 0.0,
    }
