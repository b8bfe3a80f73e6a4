"""Targets of scene windows: `python training/test_scene_windows.py`."""

import numpy as np

from data import Segment, Video
from labels import INDEX, UNKNOWN
from scene_windows import soft_targets


def scene(*segments: tuple[str, float, float]) -> Video:
    return Video("scene", "v.mp4", "g", "train", 10.0, [Segment(*one) for one in segments])


def test_a_long_action_is_half_true_where_it_begins_in_the_middle():
    walk = scene(("walk", 4.0, 20.0))
    at = lambda start: soft_targets(walk, start, start + 2.4)[INDEX["walk"]]
    assert np.isclose(at(2.8), 0.5) and at(2.4) == 0 and at(3.2) == 1 and at(10.0) == 1
    assert np.isclose(at(18.8), 0.5), "and where it ends there"
    assert np.isclose(soft_targets(walk, 2.8, 5.2)[INDEX["background"]], 0.5)


def test_a_short_action_needs_most_of_itself_not_half_of_the_window():
    fall = scene(("falling", 4.0, 5.0))
    assert soft_targets(fall, 3.0, 5.4)[INDEX["fall"]] == 1
    assert np.isclose(soft_targets(fall, 2.3, 4.7)[INDEX["fall"]], 0.5)


def test_people_who_do_the_same_are_one_action():
    apart, together = scene(("walk", 0.0, 5.0)), scene(("walk", 0.0, 3.0), ("walk", 2.0, 5.0))
    assert (soft_targets(apart, 1.8, 4.2) == soft_targets(together, 1.8, 4.2)).all()


def test_blows_within_a_fight_are_not_asked_and_a_blow_alone_does_not_say_whether_it_is_one():
    blows = [INDEX[name] for name in ("kick", "punch", "push")]
    assert (soft_targets(scene(("fight", 0.0, 9.0)), 2.0, 4.4)[blows] == UNKNOWN).all()
    alone = soft_targets(scene(("punch", 0.0, 9.0)), 2.0, 4.4)
    assert alone[INDEX["fight"]] == UNKNOWN and alone[INDEX["punch"]] == 1


if __name__ == "__main__":
    for name, check in list(globals().items()):
        if name.startswith("test_"):
            check()
            print("ok", name)
