"""python -m pytest training/test_sgs.py, or run it: checks sgs.py against the definition and finite differences."""

import torch

from sgs import Sampling, arc_lengths, bring_to, groups_of, plan_ordered, pool_rows, rows_of


def plan_of(embeddings: torch.Tensor, width: float) -> torch.Tensor:
    arc = arc_lengths(embeddings)
    return plan_ordered(arc, groups_of(arc, width), width).double()


def test_gradient_of_the_plan_equals_finite_differences():
    generator = torch.Generator().manual_seed(3)
    embeddings = torch.randn(9, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    features = torch.randn(9, 5, generator=generator, dtype=torch.float64)
    arc = arc_lengths(embeddings)
    width = 4.0
    groups = groups_of(arc, width)
    assert 1 < len(groups) < 9
    weights = torch.randn(len(groups), 5, generator=generator, dtype=torch.float64)

    def value(z: torch.Tensor) -> torch.Tensor:
        return ((plan_of(z, width) @ features) * weights).sum()

    (exact,) = torch.autograd.grad(value(embeddings), embeddings)
    # The plan is rounded to single precision, as the product's: a step of 1e-2 keeps rounding below 1 %.
    step = 1e-2
    for index in range(embeddings.numel()):
        shift = torch.zeros(embeddings.numel(), dtype=torch.float64)
        shift[index] = step
        ahead, behind = (embeddings.detach() + sign * shift.view_as(embeddings) for sign in (1, -1))
        moved = [groups_of(arc_lengths(z), width) for z in (ahead, behind)]
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

    assert arc_lengths(tremble)[-1] > 0.1
    assert arc_lengths(tremble, noise_floor=0.2)[-1] == 0


def test_chunks_bring_clips_to_one_number_of_rows():
    embeddings = torch.randn(6, 12, 8, generator=torch.Generator().manual_seed(5)) * torch.arange(1, 7)[:, None, None]
    features = torch.rand(6, 3, 12, 2, 2)

    chunks = list(rows_of(embeddings, Sampling(8.0, chunks=2)))

    assert sorted(torch.cat([chunk for chunk, _ in chunks]).tolist()) == list(range(6))
    for chunk, plans in chunks:
        assert torch.allclose(plans.sum(2), torch.ones(plans.shape[:2]))
        assert pool_rows(plans, features[chunk]).shape == (len(chunk), 3, plans.shape[1], 2, 2)


def test_bringing_splits_and_joins_in_order():
    arc = torch.tensor([0.0, 0.1, 0.2, 2.0, 4.0])

    assert bring_to(2, [(0, 3), (3, 4), (4, 5)], arc) == [(0, 4), (4, 5)]
    assert bring_to(4, [(0, 3), (3, 5)], arc) == [(0, 1), (1, 2), (2, 3), (3, 5)]


if __name__ == "__main__":
    for name, check in list(globals().items()):
        if name.startswith("test_"):
            check()
            print("ok", name)
