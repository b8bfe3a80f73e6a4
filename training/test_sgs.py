"""python -m pytest training/test_sgs.py, or run it: checks sgs.py against the definition and finite
differences."""

import torch

from sgs import Sampling, arc_lengths, groups_of, plan_ordered, pool_rows, rows_of


def plan_of(embeddings: torch.Tensor, width: float) -> torch.Tensor:
    """[t, size] -> [kept, t]: the plan of one clip."""
    arc = arc_lengths(embeddings[None])
    groups = groups_of(arc, width)
    return plan_ordered(arc, groups, width)[0, : groups[0, -1] + 1].double()


def groups_one(embeddings: torch.Tensor, width: float) -> list[int]:
    return groups_of(arc_lengths(embeddings[None]), width)[0].tolist()


def test_gradient_of_the_plan_equals_finite_differences():
    generator = torch.Generator().manual_seed(3)
    embeddings = torch.randn(9, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    features = torch.randn(9, 5, generator=generator, dtype=torch.float64)
    width = 4.0
    groups = groups_one(embeddings, width)
    kept = groups[-1] + 1
    assert 1 < kept < 9
    weights = torch.randn(kept, 5, generator=generator, dtype=torch.float64)

    def value(z: torch.Tensor) -> torch.Tensor:
        return ((plan_of(z, width) @ features) * weights).sum()

    (exact,) = torch.autograd.grad(value(embeddings), embeddings)
    step = 1e-6
    for index in range(embeddings.numel()):
        shift = torch.zeros(embeddings.numel(), dtype=torch.float64)
        shift[index] = step
        ahead, behind = (embeddings.detach() + sign * shift.view_as(embeddings) for sign in (1, -1))
        moved = [groups_one(z, width) for z in (ahead, behind)]
        if moved != [groups, groups]:
            continue
        slope = (value(ahead) - value(behind)) / (2 * step)
        assert torch.isclose(slope, exact.flatten()[index], rtol=1e-5, atol=1e-8), index
    assert exact.abs().max() > 1e-2


def test_a_static_clip_gives_exactly_its_mean():
    plan = plan_of(torch.ones(12, 8), 0.5)

    assert plan.shape == (1, 12)
    assert torch.allclose(plan, torch.full((1, 12), 1 / 12, dtype=torch.float64))


def test_rows_are_contiguous_in_order_and_sum_to_one():
    plan = plan_of(torch.randn(12, 8, generator=torch.Generator().manual_seed(1)), 6.0)

    used = [torch.nonzero(row).flatten().tolist() for row in plan]
    assert [step for row in used for step in row] == list(range(12))
    assert torch.allclose(plan.sum(1), torch.ones(len(plan), dtype=torch.float64))


def test_a_noise_floor_stops_a_trembling_clip():
    tremble = 0.01 * torch.randn(12, 8, generator=torch.Generator().manual_seed(2))

    assert arc_lengths(tremble[None])[0, -1] > 0.1
    assert arc_lengths(tremble[None], noise_floor=0.2)[0, -1] == 0


def test_a_clip_keeps_its_plan_whatever_its_company():
    embeddings = (
        torch.randn(6, 12, 8, generator=torch.Generator().manual_seed(5)) * torch.arange(6)[:, None, None]
    )
    features = torch.rand(6, 3, 12, 2, 2)

    for width in (0.0, 4.0, 8.0, 16.0):
        parts = list(rows_of(embeddings, Sampling(width)))

        assert sorted(torch.cat([chosen for chosen, _, _ in parts]).tolist()) == list(range(6))
        for chosen, plans, counts in parts:
            assert torch.equal(counts, (plans > 0).sum(2))
            assert pool_rows(plans, features[chosen]).shape == (len(chosen), 3, plans.shape[1], 2, 2)
            for i, plan in zip(chosen.tolist(), plans):
                assert torch.equal(plan.double(), plan_of(embeddings[i], width))


def test_width_zero_keeps_all_steps_that_differ():
    embeddings = torch.tensor([0.0, 0.0, 1.0, 2.0, 2.0])[:, None]

    assert groups_one(embeddings, 0.0) == [0, 0, 1, 2, 2]


def test_gradients_of_distances():
    generator = torch.Generator().manual_seed(6)
    flat = torch.randn(2, 6, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    cells = torch.randn(2, 6, 9, 4, generator=generator, dtype=torch.float64, requires_grad=True)

    assert torch.autograd.gradcheck(lambda z: arc_lengths(z, noise_floor=0.5), (flat,))
    for top in (1, 3, 9):
        assert torch.autograd.gradcheck(lambda z, top=top: arc_lengths(z, top=top), (cells,))


def test_gradients_of_the_plan():
    cells = torch.randn(
        3, 8, 4, 3, generator=torch.Generator().manual_seed(8), dtype=torch.float64, requires_grad=True
    )

    for min_steps in (1, 5):

        def plans(z: torch.Tensor, min_steps: int = min_steps) -> torch.Tensor:
            arc = arc_lengths(z)
            return plan_ordered(arc, groups_of(arc, 4.0, min_steps), 4.0)

        kept = groups_of(arc_lengths(cells), 4.0, min_steps).amax(1) + 1
        assert kept.max() < 8 and kept.min() >= min_steps
        assert torch.autograd.gradcheck(plans, (cells,))


def test_a_middle_step_stands_for_its_group():
    embeddings = torch.tensor([0, 0.1, 0.2, 1.5, 1.6, 9])[None, :, None]

    [(_, plans, counts)] = rows_of(embeddings, Sampling(1.0, representative="middle"))

    assert plans[0].argmax(1).tolist() == [1, 3, 5]
    assert torch.equal(plans[0].sum(1), torch.ones(3).double())
    assert counts[0].tolist() == [3, 2, 1]


def test_a_floor_cuts_the_group_that_goes_the_longest_way():
    way = torch.tensor([0, 0.1, 0.2, 0.5, 0.6, 0.7])[None, :, None]
    groups = lambda steps: groups_of(arc_lengths(way), 100.0, steps)[0].tolist()

    assert groups(2) == [0, 0, 0, 1, 1, 1]
    assert groups(3) == [0, 0, 1, 2, 2, 2]
    assert groups(9) == [0, 1, 2, 3, 4, 5]
    assert groups_of(arc_lengths(torch.ones(1, 6, 2)), 100.0, 3)[0].tolist() == [0] * 6


def test_one_cell_that_moves_counts_whole():
    cells = torch.ones(1, 3, 4, 2) * torch.arange(4)[:, None]
    cells[0, :, 2] += torch.tensor([0, 0.5, 1])[:, None]

    largest, mean = (arc_lengths(cells, top=top)[0, -1] for top in (1, 4))

    assert torch.isclose(largest, 4 * mean)


def test_gradient_of_a_still_clip_is_finite():
    embeddings = torch.ones(2, 6, 4, requires_grad=True)

    for still in (
        embeddings,
        embeddings.unflatten(2, (2, 2)),
        torch.zeros_like(embeddings).unflatten(2, (2, 2)) * embeddings[..., :2, None],
    ):
        (gradient,) = torch.autograd.grad(arc_lengths(still).sum(), embeddings)

        assert torch.isfinite(gradient).all()


if __name__ == "__main__":
    for name, check in list(globals().items()):
        if name.startswith("test_"):
            check()
            print("ok", name)
