"""python -m pytest training/test_sgs.py, or run it: checks sgs.py against the definition and finite differences."""

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
    # The plan is rounded to single precision, as the product's: a step of 1e-2 keeps rounding below 1 %.
    step = 1e-2
    for index in range(embeddings.numel()):
        shift = torch.zeros(embeddings.numel(), dtype=torch.float64)
        shift[index] = step
        ahead, behind = (embeddings.detach() + sign * shift.view_as(embeddings) for sign in (1, -1))
        moved = [groups_one(z, width) for z in (ahead, behind)]
        if moved != [groups, groups]:
            continue
        slope = (value(ahead) - value(behind)) / (2 * step)
        assert torch.isclose(slope, exact.flatten()[index], rtol=0.02, atol=2e-3), index
    assert exact.abs().max() > 1e-2


def test_a_static_clip_gives_exactly_its_mean():
    plan = plan_of(torch.ones(12, 8), 0.5)

    assert plan.shape == (1, 12)
    assert torch.allclose(plan, torch.full((1, 12), 1 / 12, dtype=torch.float64))


def test_rows_are_contiguous_in_order_and_sum_to_one():
    plan = plan_of(torch.randn(12, 8, generator=torch.Generator().manual_seed(1)), 6.0)

    used = [torch.nonzero(row).flatten().tolist() for row in plan]
    assert sum(used, []) == list(range(12))
    assert torch.allclose(plan.sum(1), torch.ones(len(plan), dtype=torch.float64))


def test_a_noise_floor_stops_a_trembling_clip():
    tremble = 0.01 * torch.randn(12, 8, generator=torch.Generator().manual_seed(2))

    assert arc_lengths(tremble[None])[0, -1] > 0.1
    assert arc_lengths(tremble[None], noise_floor=0.2)[0, -1] == 0


def test_a_clip_keeps_its_plan_whatever_its_company():
    embeddings = torch.randn(6, 12, 8, generator=torch.Generator().manual_seed(5)) * torch.arange(6)[:, None, None]
    features = torch.rand(6, 3, 12, 2, 2)

    for width in (0.0, 4.0, 8.0, 16.0):
        parts = list(rows_of(embeddings, Sampling(width)))

        assert sorted(torch.cat([chosen for chosen, _ in parts]).tolist()) == list(range(6))
        for chosen, plans in parts:
            assert pool_rows(plans, features[chosen]).shape == (len(chosen), 3, plans.shape[1], 2, 2)
            for i, plan in zip(chosen.tolist(), plans):
                assert torch.equal(plan.double(), plan_of(embeddings[i], width))


def test_width_zero_keeps_all_steps_that_differ():
    embeddings = torch.tensor([0.0, 0.0, 1.0, 2.0, 2.0])[:, None]

    assert groups_one(embeddings, 0.0) == [0, 0, 1, 2, 2]


def test_gradient_of_a_still_clip_is_finite():
    embeddings = torch.ones(2, 6, 4, requires_grad=True)

    (gradient,) = torch.autograd.grad(arc_lengths(embeddings).sum(), embeddings)

    assert torch.isfinite(gradient).all()


if __name__ == "__main__":
    for name, check in list(globals().items()):
        if name.startswith("test_"):
            check()
            print("ok", name)
