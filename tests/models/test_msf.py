"""Gate, FiLM, experts and router do what their equations say, and nothing else."""

import itertools

import numpy as np
import pytest
import torch

from voxplain.models.experiment_network import LayerwiseHead
from voxplain.models.heads import Head
from voxplain.models.msf import (
    BRANCHES,
    FUSIONS,
    Experts,
    FiLM,
    Gate,
    MSFHead,
    Router,
    Texts,
    load_balance,
)

BATCH, WIDTH, TEXT, DEPTH, STATE = 6, 8, 12, 3, 10
SUBSETS = [some for n in range(4) for some in itertools.combinations(BRANCHES, n)]


def stirred(module):
    """Larger weights than at birth, so that mistakes show."""
    for parameter in module.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return module.eval()


def layerwise_trunk():
    sizes = {"hidden": 16, "dropout": 0.0, "labels": 0, "dimensions": 0, "usual": None}
    return LayerwiseHead(DEPTH, STATE, **sizes)


def head(trunk=True, **given):
    torch.manual_seed(0)
    sizes = {"text_width": TEXT, "width": WIDTH, "experts": 3, "labels": 5} | given
    return stirred(MSFHead(layerwise_trunk() if trunk else None, **sizes))


@pytest.fixture
def states():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2 * DEPTH, BATCH, 1, STATE, generator=generator)


@pytest.fixture
def texts():
    generator = torch.Generator().manual_seed(2)
    there = torch.tensor([[1, 1, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 1, 0], [0, 0, 0]])
    return Texts(torch.randn(BATCH, 3, TEXT, generator=generator), there.bool())


def close(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def arrays(module):
    return {name: one.detach().double().numpy() for name, one in module.named_parameters()}


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def gelu(x):
    return torch.nn.functional.gelu(torch.from_numpy(x)).numpy()


def norm(x, weight=1.0, bias=0.0):
    return (
        weight * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) + bias
    )


def test_the_gate_is_its_equation():
    torch.manual_seed(0)
    gate, s = stirred(Gate(3, WIDTH)), torch.randn(BATCH, 3, WIDTH)
    w, x = arrays(gate), s.double().numpy()
    logits = (x.reshape(BATCH, -1) @ w["weigh.weight"].T + w["weigh.bias"]).reshape(x.shape)
    weights = softmax(logits, 1)
    mixed, given = gate(s)
    np.testing.assert_allclose(given.detach(), weights, atol=1e-5)
    np.testing.assert_allclose(mixed.detach(), (weights * x).sum(1), atol=1e-5)


@pytest.mark.parametrize("times", [1, 3])
def test_film_is_its_equation(times):
    torch.manual_seed(0)
    film, a, s = stirred(FiLM(WIDTH, times)), torch.randn(BATCH, WIDTH), torch.randn(BATCH, WIDTH)
    w = arrays(film)
    inside = gelu(s.double().numpy() @ w["first.weight"].T + w["first.bias"])
    both = (inside @ w["last.weight"].T + w["last.bias"]).reshape(BATCH, 2, times, WIDTH)
    expected = (1 + both[:, 0]) * a.double().numpy()[:, None] + both[:, 1]
    np.testing.assert_allclose(film(a, s).detach(), expected, atol=1e-5)


def test_film_begins_as_identity():
    a, s = torch.randn(BATCH, WIDTH), torch.randn(BATCH, WIDTH)
    torch.testing.assert_close(FiLM(WIDTH, 2)(a, s), a[:, None].expand(-1, 2, -1), rtol=0, atol=0)


@pytest.mark.parametrize("expert_wise", [False, True])
def test_the_whole_is_its_equations(states, texts, expert_wise):
    """A slow reference, one recording at a time, from the weights alone."""
    judge = head(expert_wise=expert_wise)
    w = arrays(judge)
    a = judge.trunk.summary(states).detach().double().numpy()
    a = norm(a @ w["voice.0.weight"].T + w["voice.0.bias"], w["voice.1.weight"], w["voice.1.bias"])
    heard = judge(states, texts=texts)
    for row in range(BATCH):
        s = []
        for k in range(3):
            x = norm(texts.vectors[row, k].double().numpy())
            x = w[f"text.{k}.2.weight"] @ x + w[f"text.{k}.2.bias"]
            read = norm(x, w[f"text.{k}.3.weight"], w[f"text.{k}.3.bias"])
            s.append(read if texts.there[row, k] else w["missing"][k])
        s = np.array(s)
        g = w["gate.weigh.weight"] @ s.ravel() + w["gate.weigh.bias"]
        g = softmax(g.reshape(3, WIDTH), 0)
        together = (g * s).sum(0)
        both = w["film.last.weight"] @ gelu(
            w["film.first.weight"] @ together + w["film.first.bias"]
        )
        gamma, beta = (both + w["film.last.bias"]).reshape(2, -1, WIDTH)
        routes = w["router.weigh.weight"] @ np.concatenate([a[row], together])
        routes = softmax((routes + w["router.weigh.bias"]).reshape(4, 3), 1)
        u = np.zeros((4, WIDTH))
        for e in range(3):
            way = e if expert_wise else 0
            h = (1 + gamma[way]) * a[row] + beta[way]
            inside = gelu(w["experts.down"][e] @ h + w["experts.down_bias"][e])
            u += np.outer(routes[:, e], h + w["experts.up"][e] @ inside + w["experts.up_bias"][e])
        values = []
        for d in range(3):
            x = gelu(w[f"dimensions.{d}.0.weight"] @ u[d] + w[f"dimensions.{d}.0.bias"])
            values.append((w[f"dimensions.{d}.3.weight"] @ x + w[f"dimensions.{d}.3.bias"])[0])
        expected = 1 / (1 + np.exp(-np.array(values)))
        np.testing.assert_allclose(heard.dimensions[row].detach(), expected, atol=1e-5)
        logits = w["categories.weight"] @ u[3] + w["categories.bias"]
        np.testing.assert_allclose(heard.categories[row].detach(), logits, atol=1e-5, rtol=1e-5)
        np.testing.assert_allclose(heard.gates[row].detach(), g.mean(1), atol=1e-5)
        np.testing.assert_allclose(heard.routes[row].detach(), routes, atol=1e-5)


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("branches", SUBSETS, ids="+".join)
def test_every_fusion_takes_every_set_of_branches(states, texts, fusion, branches):
    heard = head(fusion=fusion, branches=branches)(states, texts=texts)
    assert heard.dimensions.shape == (BATCH, 3)
    assert heard.categories.shape == (BATCH, 5)
    assert all(one.isfinite().all() for one in heard)
    if fusion not in ("concatenation", "cross_attention") and branches:
        torch.testing.assert_close(heard.gates.sum(1), torch.ones(BATCH))
        assert heard.gates.shape == (BATCH, len(branches))
    else:
        assert not heard.gates.numel()
    if fusion in ("moe", "fm_moe"):
        torch.testing.assert_close(heard.routes.sum(2), torch.ones(BATCH, 4))
    else:
        assert not heard.routes.numel()


@pytest.mark.parametrize("fusion", FUSIONS)
def test_each_text_that_is_there_counts_and_no_other(states, texts, fusion):
    judge = head(fusion=fusion)
    before = judge(states, texts=texts).dimensions
    for row, place in itertools.product(range(BATCH), range(3)):
        changed = texts.vectors.clone()
        changed[row, place] = torch.randn(TEXT)
        after = judge(states, texts=texts._replace(vectors=changed)).dimensions
        moved = ~torch.isclose(before, after, atol=1e-7).all(1)
        expected = torch.zeros(BATCH, dtype=torch.bool)
        expected[row] = texts.there[row, place]
        assert moved.tolist() == expected.tolist()


def test_a_branch_that_was_left_out_never_counts(states, texts):
    judge = head(branches=("les", "es"))
    other = texts.vectors.clone()
    other[:, 1] = torch.randn(BATCH, TEXT)
    close(judge(states, texts=texts._replace(vectors=other)), judge(states, texts=texts))


@pytest.mark.parametrize("fusion", FUSIONS)
def test_no_texts_are_texts_that_are_missing(states, texts, fusion):
    judge = head(fusion=fusion)
    nowhere = texts._replace(there=torch.zeros_like(texts.there))
    close(judge(states), judge(states, texts=nowhere))


def test_zeros_behind_a_missing_text_keep_gradients_finite(states, texts):
    """A norm of zeros has a steep gradient."""
    judge = head()
    vectors = texts.vectors.masked_fill(~texts.there[..., None], 0.0)
    judge(states, texts=texts._replace(vectors=vectors)).dimensions.sum().backward()
    assert all(one.grad is None or one.grad.isfinite().all() for one in judge.parameters())


@pytest.mark.parametrize("fusion", FUSIONS)
def test_company_changes_nothing(states, texts, fusion):
    """A recording alone, or with others and padding behind its frames."""
    torch.manual_seed(0)
    trunk = Head(DEPTH, STATE, channels=WIDTH, dropout=0.0)
    judge = stirred(MSFHead(trunk, text_width=TEXT, width=WIDTH, fusion=fusion, labels=5))
    frames = torch.randn(DEPTH, BATCH, 9, STATE)
    mask = torch.arange(9) < torch.tensor([9, 7, 5, 3, 2, 1])[:, None]
    together = judge(frames, mask, texts=texts)
    for row in range(BATCH):
        some = slice(row, row + 1)
        alone = judge(
            frames[:, some, : int(mask[row].sum())], texts=Texts(*(t[some] for t in texts))
        )
        close(alone, [one[some] for one in together])


@pytest.mark.parametrize("expert_wise", [False, True])
def test_the_order_of_experts_is_no_matter(states, texts, expert_wise):
    judge = head(expert_wise=expert_wise)
    before = judge(states, texts=texts)
    order = torch.tensor([2, 0, 1])
    with torch.no_grad():
        for one in judge.experts.parameters():
            one.copy_(one[order])
        for one in judge.router.parameters():
            one.copy_(one.unflatten(0, (4, 3))[:, order].flatten(0, 1))
        for one in judge.film.last.parameters() if expert_wise else ():
            one.copy_(one.unflatten(0, (2, 3, WIDTH))[:, order].flatten(0, 2))
    after = judge(states, texts=texts)
    close(after[:4], before[:4])
    torch.testing.assert_close(after.routes, before.routes[..., order])


def test_text_alone_can_be_judged(texts):
    judge = head(trunk=False)
    heard = judge(texts=texts)
    assert heard.dimensions.shape == (BATCH, 3)
    assert not torch.allclose(heard.dimensions[0], heard.dimensions[1])


@pytest.mark.parametrize(
    "module",
    [Gate(2, 4), stirred(FiLM(4, 2)), Experts(2, 4), Router(2, 3, 4)],
    ids=["gate", "film", "experts", "router"],
)
def test_gradients_are_those_of_finite_differences(module):
    torch.manual_seed(0)
    module = module.double()
    shapes = {Gate: [(2, 2, 4)], Experts: [(2, 2, 4)]}.get(type(module), [(2, 4), (2, 4)])
    inputs = [torch.randn(shape, dtype=torch.double, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(module, inputs)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_all_that_is_there_learns(states, texts, fusion):
    judge = stirred(head(fusion=fusion)).train()
    heard = judge(states, texts=texts)
    (heard.dimensions.sum() + heard.categories.square().sum()).backward()
    idle = {name for name, one in judge.named_parameters() if one.grad is None}
    assert not idle


def test_in_training_branches_are_hidden_as_often_as_asked(states, texts):
    judge = head(branch_dropout=0.25)
    seen = texts._replace(there=torch.ones_like(texts.there))
    missing = judge._said(seen._replace(there=torch.zeros_like(seen.there)), torch.zeros(BATCH, 8))
    close(judge(states, texts=seen)[:2], judge(states, texts=seen)[:2])  # nothing is hidden now
    judge.train()
    torch.manual_seed(0)
    hidden = torch.zeros(BATCH, 3)
    whole = 0
    for _ in range(500):
        said = judge._said(seen, torch.zeros(BATCH, 8))
        gone = (said == missing).all(2)
        hidden += gone
        whole += int(gone.all(1).sum())
    share = 1 - 0.75**2  # alone, or with all others
    np.testing.assert_allclose(hidden.sum(0) / (500 * BATCH), share, atol=0.03)
    np.testing.assert_allclose(whole / (500 * BATCH), 0.25 + 0.75 * 0.25**3, atol=0.03)


def test_text_dropout_is_of_the_texts_and_no_other_is(states, texts):
    silent = torch.zeros(BATCH, 8)
    for dropout, changes in (({"dropout": 0.5}, False), ({"text_dropout": 0.5}, True)):
        judge = head(**dropout).train()
        once, again = judge._said(texts, silent), judge._said(texts, silent)
        assert torch.equal(once, again) != changes
    close(judge.eval()(states, texts=texts)[:2], judge(states, texts=texts)[:2])


def test_load_balance_is_the_squared_coefficient_of_variation():
    even = torch.full((4, 2, 3), 1 / 3)
    assert load_balance(even) == 0
    alone = torch.tensor([1.0, 0.0, 0.0]).expand(4, 2, 3)
    torch.testing.assert_close(load_balance(alone), torch.tensor(2.0))  # experts - 1
    turns = torch.eye(3)[:, None].expand(3, 2, 3)  # each recording its own expert, all alike
    torch.testing.assert_close(load_balance(turns), torch.tensor(0.0))
    mixed = torch.tensor([[0.5, 0.25, 0.25], [0.5, 0.5, 0.0]])[None]
    by_hand = (np.var([0.5, 0.25, 0.25]) + np.var([0.5, 0.5, 0.0])) / 2 * 9
    torch.testing.assert_close(load_balance(mixed), torch.tensor(by_hand).float())


def test_the_trunk_is_heard(states, texts):
    judge = head()
    other = states.clone()
    other[:, 2] += 1
    moved = (judge(other, texts=texts).dimensions - judge(states, texts=texts).dimensions).abs()
    assert (moved.sum(1) > 1e-6).tolist() == [row == 2 for row in range(BATCH)]


def test_the_summary_is_what_outputs_are_read_from(states):
    torch.manual_seed(0)
    sizes = {"hidden": 16, "dropout": 0.0, "labels": 4, "dimensions": 0, "usual": None}
    judge = LayerwiseHead(DEPTH, STATE, **sizes).eval()
    summary = judge.summary(states)
    assert summary.shape == (BATCH, judge.pooled)
    torch.testing.assert_close(judge.categories(summary), judge(states).categories)
