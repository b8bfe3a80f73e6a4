"""python training/test_network.py: network.py computes what the goldens of tools/goldens say, which every
engine is held to as well, and its gradient is that of finite differences."""

import json
import sys

import torch
from safetensors.torch import load_file

from arithmetic import parse_grid
from network import ROOT, Network, export_network, export_networks, repeat_edges
from sgs import Sampling, arc_lengths, groups_of, pool_rows, rows_of
from time_shares import time_shares

sys.path.insert(0, str(ROOT / "tools/goldens"))
import golden_weights

GOLDENS = ROOT / "test/fixtures/goldens/network"
TOLERANCE = 1e-4
SMALL = {
    "variant": "s3d-g", "frames": 16, "height": 16, "width": 16, "classes": 3, "widthMultiplier": 0.04,
    "input": {"kind": "motion"}, "temporalEdge": "edge", "timeMeans": "multiplicity",
    "sgs": {"after": "Conv_2b", "boundary": "nearest_complete", "embedding": parse_grid("grid:2:3")},
}  # fmt: skip


def test_goldens_of_networks_that_see_motion():
    cases = [case for case in json.loads((GOLDENS / "cases.json").read_text()) if trains(case)]
    logits = load_file(GOLDENS / "logits.safetensors")
    descriptions = export_networks([case["network"] for case in cases])
    assert len(cases) > 15

    for case, description in zip(cases, descriptions):
        found, kept = run_golden(case, description)

        assert kept is None or kept == case["keptSteps"], case["name"]
        worst = (found - logits[case["name"]]).abs().max().item()
        assert worst < TOLERANCE, f"{case['name']}: {worst}"


def trains(case: dict) -> bool:
    sampler = case["sampler"]
    known = sampler["kind"] in ("none", "uniform") or (
        sampler["kind"] == "ordered" and sampler["distance"] == "l2"
    )
    return case["network"]["input"]["kind"] == "motion" and known


def run_golden(case: dict, description: dict) -> tuple[torch.Tensor, int | None]:
    options, sampler = case["network"], case["sampler"]
    model = golden_network(case, description)
    size = (options["frames"], options["height"], options["width"])
    pixels = torch.from_numpy(golden_weights.pixels(case["seed"], *size, case["hold"])).double()
    grey = (pixels @ torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64) / 255)[None]
    with torch.no_grad():
        if sampler["kind"] == "uniform":
            return model.strided(grey, sampler["stride"])[0].float(), None
        record: list = []
        how = None if sampler["kind"] == "none" else sampling_of(sampler, record)
        logits = model(grey, how)[0].float()
    return logits, int(record[0][0]) if record else None


def golden_network(case: dict, description: dict) -> Network:
    model = Network(description).double().eval()
    shapes = model.description["weights"].items()
    drawn = {name: golden_weights.tensor(case["seed"], name, shape, case["gamma"]) for name, shape in shapes}
    model.adopt({name: torch.from_numpy(value) for name, value in drawn.items()})
    return model


def sampling_of(sampler: dict, record: list) -> Sampling:
    middle, least = sampler.get("representative", "mean"), sampler.get("minSteps", 1)
    return Sampling(sampler["width"], sampler.get("noiseFloor", 0.0), record, middle, least)


@torch.no_grad()
def small_network() -> Network:
    torch.manual_seed(2)
    model = Network(export_network(SMALL), dropout=0).double().eval()
    for name, value in model.tensors().items():
        if name.endswith("running_var"):
            value.fill_(0.2)
        elif name.startswith("Head") or ".gate." in name:
            torch.nn.init.normal_(value)
    return model


def test_gradient_above_the_cut():
    """Of logits by the features at the cut: through cells, bins, edges, gates and head, for clips of several
    kept steps."""
    model = small_network()
    _, upper = model.halves()
    cut, embedding = model.cut(), model.cut()["embedding"]
    generator = torch.Generator().manual_seed(4)
    change = 0.1 * torch.randn(2, 3, 8, 4, 4, generator=generator, dtype=torch.float64)
    features = torch.rand(2, 3, 1, 4, 4, generator=generator, dtype=torch.float64) + change.cumsum(2).abs()
    features.requires_grad_()
    assert features.shape[1] == cut["channels"]

    for how in (Sampling(0.45), Sampling(0.9, min_steps=4), Sampling(0.45, representative="middle")):
        kept = []

        def logits(x: torch.Tensor, how: Sampling = how, kept: list = kept) -> torch.Tensor:
            parts = []
            for chosen, plans, counts in rows_of(model.embed(cut, x), how, embedding["top"]):
                kept.append(counts.shape[1])
                parts.append(model.above(upper, cut["name"], pool_rows(plans, x[chosen]), counts))
            return torch.cat(parts)

        assert torch.autograd.gradcheck(logits, (features,), fast_mode=True)
        assert 1 < min(kept) < 8


def test_gradient_of_a_clip_is_that_of_the_clip_among_others():
    model = small_network()
    grey = (
        torch.rand(5, 16, 16, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64).cumsum(1)
        / 16
    )
    how = Sampling(0.9, min_steps=2)
    together = model(grey, how)

    alone = torch.cat([model(clip[None], how) for clip in grey])

    assert torch.allclose(together, alone, atol=1e-10)


def test_equal_maps_give_in_one_step_what_the_dense_network_gives():
    model = small_network()
    _, upper = model.halves()
    step = torch.rand(1, 3, 1, 4, 4, dtype=torch.float64)
    counts = torch.tensor([[8]])

    one = model.above(upper, "SGS", step, counts)
    dense = model.above(upper, "SGS", step.expand(-1, -1, 8, -1, -1), torch.ones(1, 8))

    assert torch.allclose(one, dense, atol=1e-9)


def test_shares_of_a_dense_clip_are_the_published_means():
    description = export_network(SMALL)

    shares = time_shares(description, torch.ones(1, 8))

    gates = [share for name, share in shares.items() if name != "Head"]
    assert len(gates) > 30
    assert all(torch.allclose(share, torch.full_like(share, 1 / share.shape[1])) for share in gates)
    assert torch.allclose(shares["Head"], torch.tensor([[0.5, 0.5]], dtype=torch.float64))
    assert time_shares({**description, "options": {**SMALL, "timeMeans": "plain"}}, torch.ones(1, 8)) == {}


def test_shares_sum_to_one_whatever_is_kept():
    description = export_network(SMALL)

    for counts in ([8], [1, 7], [3, 1, 4], [1, 1, 1, 1, 4], [2, 1, 1, 1, 1, 1, 1]):
        shares = time_shares(description, torch.tensor([counts]))

        assert all(torch.allclose(share.sum(1), torch.ones(1).double()) for share in shares.values())


def test_edges_are_repeated_in_time():
    x = torch.arange(6.0).view(1, 2, 3, 1, 1)

    assert repeat_edges(x, 2, 1)[0, 0].flatten().tolist() == [0, 0, 0, 1, 2, 2]


def test_cells_do_not_change_with_contrast():
    cells = torch.rand(3, 10, 9, 4, generator=torch.Generator().manual_seed(7))

    for top in (1, 4):
        plain, brighter = arc_lengths(cells, top=top), arc_lengths(50 * cells, top=top)

        assert torch.allclose(plain, brighter, atol=1e-5)
        assert torch.equal(groups_of(plain, 0.7), groups_of(brighter, 0.7))


if __name__ == "__main__":
    for name, check in list(globals().items()):
        if name.startswith("test_"):
            check()
            print("ok", name)
