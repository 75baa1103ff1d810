"""The loop learns what can be learned, on the whole batch, and goes on as if never stopped."""

import functools
import os

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from voxplain.errors import ConfigError
from voxplain.models.experiment_network import ExperimentNetwork, make_head
from voxplain.models.msf import Texts, load_balance
from voxplain.training.experiment import loop
from voxplain.training.experiment.goals import Goals, concordance_loss
from voxplain.training.experiment.loop import Fit, batches
from voxplain.training.experiment.recipe import Tasks, TrainPlan
from voxplain.training.experiment.sources import StateSource, TextSource

WIDTH, DEPTH, N = 5, 2, 60
PLAN = TrainPlan(epochs=4, batch=16, learning_rate=0.05, mixup=0.4)
TRAIN, DEV = np.arange(44), np.arange(44, N)


def examples():
    """States of 2-8 frames in which one of two dimensions is raised: label 0 or 1, valence too."""
    random = np.random.default_rng(0)
    label = np.arange(N) % 2
    states = []
    for row in range(N):
        one = random.normal(size=(DEPTH, random.integers(2, 9), WIDTH)).astype(np.float16)
        one[:, :, label[row]] += 2
        states.append(one)
    source = StateSource(
        [states], speakers=[f"s{n // 2 % 6}" for n in range(N)], seconds=[1.0] * N, profiles=True
    )
    rated = np.stack([0.2 + 0.6 * label, random.uniform(size=N), np.full(N, np.nan)], 1)
    return source, Goals(torch.eye(2)[label], torch.tensor(rated).float())


def said():
    """Texts of the recordings, a fifth missing; in GS, one of five numbers says the arousal."""
    _, goals = examples()
    random = torch.Generator().manual_seed(3)
    vectors = torch.randn(N, 3, 5, generator=random)
    vectors[:, 1, 0] = 8 * goals.dimensions[:, 1] - 4
    return Texts(vectors, torch.rand(N, 3, generator=random) > 0.2)


def fit(
    state, *, plan=PLAN, tasks=None, score=None, dropout=0.2, categories=None, fusion=None, **given
):
    source, goals = examples()
    usual = source.usual(TRAIN)
    source = source if fusion is None else TextSource(source, said())
    fusion = None if fusion is None else {"text_width": 5, "width": 8, "experts": 3, **fusion}
    goals = goals if categories is None else goals._replace(categories=categories)
    torch.manual_seed(0)
    head = make_head(
        pooling="statistics",
        depth=DEPTH,
        width=WIDTH,
        hidden=6,
        labels=2,
        dimensions=3,
        dropout=dropout,
        usual=usual,
        fusion=fusion,
    )
    torch.seed()  # what happened before must not matter
    truth = goals.categories.argmax(1).numpy()[DEV]
    return Fit(
        ExperimentNetwork(head),
        source,
        goals,
        train=TRAIN,
        dev=DEV,
        plan=plan,
        tasks=tasks or Tasks(),
        seed=1,
        score=score or (lambda found: float(np.mean(found.categories.argmax(1) == truth))),
        accelerator=Accelerator(cpu=True),
        state=state,
        name="fold_0",
        **given,
    )


def learned(work):
    return {name: one.clone() for name, one in work.network.named_parameters()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_what_can_be_learned_is_learned(tmp_path):
    work = fit(tmp_path / "state")
    work.run()
    assert max(epoch["score"] for epoch in work.history) > 0.9
    assert len(work.history) == PLAN.epochs


def test_dimensions_are_learned_by_their_concordance(tmp_path):
    from audmetric import concordance_cc

    _, goals = examples()
    truth = goals.dimensions.numpy()[DEV, 0]
    plan = TrainPlan(epochs=8, batch=22, learning_rate=0.05)
    work = fit(
        tmp_path / "state",
        plan=plan,
        tasks=Tasks(categories=0.0, dimensions=1.0),
        score=lambda found: concordance_cc(truth, found.dimensions[:, 0]),
    )
    work.run()
    assert max(epoch["score"] for epoch in work.history) > 0.6  # of a guess it is 0


def test_the_weights_that_stay_are_those_of_the_best_epoch(tmp_path):
    scores = iter([0.3, 0.7, 0.7, 0.1])
    seen = []

    def score(_):
        seen.append(learned(work))
        return next(scores)

    work = fit(tmp_path / "state", score=score)
    work.run()
    assert work.chosen == 1  # the first of the best
    assert same(learned(work), seen[1])


def test_a_score_that_is_not_defined_is_never_the_best(tmp_path):
    scores = iter([0.1, float("nan"), 0.2, float("nan")])
    work = fit(tmp_path / "state", score=lambda _: next(scores))
    work.run()
    assert work.chosen == 2


def test_it_stops_when_dev_gets_no_better(tmp_path):
    scores = iter([0.5, 0.4, 0.5, 0.9])
    plan = TrainPlan(epochs=9, batch=16, learning_rate=0.05, patience=2)
    work = fit(tmp_path / "state", plan=plan, score=lambda _: next(scores))
    work.run()
    assert len(work.history) == 3
    again = fit(tmp_path / "state", plan=plan, score=lambda _: next(scores))
    again.run()  # what has stopped stays so
    assert same(learned(again), learned(work))


class Killed(BaseException):
    pass


STOPPED = range(1, 13) if "STOPPED" in os.environ else (1, 7, 12)
"""Of twelve steps; at each of them with STOPPED=all."""
_BEFORE, _AFTER = "before it is written", "after it is written"


def stoppable(state, *, fused):
    mixup = 0.0 if fused else 0.4
    plan = TrainPlan(
        epochs=4, batch=16, learning_rate=0.05, mixup=mixup, save_every=1, accumulate=2
    )
    fusion = {"branch_dropout": 0.3} if fused else None
    return fit(state, plan=plan, tasks=Tasks(dimensions=1.0), fusion=fusion, balance=0.1)


@pytest.fixture(scope="module")
def unstopped(tmp_path_factory):
    """What is learned without a stop, once for all who are stopped."""

    @functools.cache
    def whole(*, fused):
        work = stoppable(tmp_path_factory.mktemp("whole") / "state", fused=fused)
        work.run()
        return work

    return whole


@pytest.mark.parametrize(
    ("number", "deed", "fused"),
    [
        *((number, deed, False) for number in STOPPED for deed in (_BEFORE, _AFTER)),
        (4, _AFTER, True),
    ],
)
def test_whoever_is_stopped_goes_on_to_the_same_bits(
    tmp_path, monkeypatch, unstopped, number, deed, fused
):
    whole = unstopped(fused=fused)
    written, save = [], loop.save_state

    def stop(*args):
        written.append(args)
        if len(written) == number and deed == _BEFORE:
            raise Killed
        save(*args)
        if len(written) == number:
            raise Killed

    monkeypatch.setattr(loop, "save_state", stop)
    with pytest.raises(Killed):
        stoppable(tmp_path / "state", fused=fused).run()
    monkeypatch.setattr(loop, "save_state", save)
    resumed = stoppable(tmp_path / "state", fused=fused)
    resumed.run()
    assert same(learned(resumed), learned(whole))
    assert resumed.history == whole.history


def test_a_batch_in_parts_learns_what_the_whole_does(tmp_path):
    found = []
    for parts in (1, 4):
        plan = TrainPlan(epochs=1, batch=16, learning_rate=0.05, accumulate=parts)
        work = fit(tmp_path / str(parts), plan=plan, tasks=Tasks(dimensions=1.0), dropout=0.0)
        work.source.profiles = False  # what is drawn at random differs between parts
        work.run()
        found.append(learned(work))
    for name, weight in found[0].items():
        torch.testing.assert_close(found[1][name], weight, rtol=1e-4, atol=1e-5)


def test_the_gradient_of_parts_is_that_of_the_whole_loss(tmp_path):
    """By autograd through everything at once, without the loop's two passes."""
    plan = TrainPlan(epochs=1, batch=16, learning_rate=1e-9, accumulate=4)
    tasks = Tasks(dimensions=1.0)
    work = fit(tmp_path / "state", plan=plan, tasks=tasks, dropout=0.0)
    work.source.profiles = False
    rows = np.concatenate(work._batch())
    heard = work.network(**work.source.inputs(rows, None))
    found = Goals(heard.categories, heard.dimensions)
    loop.loss(found, work.goals.rows(rows), tasks=tasks, weights=torch.ones(2)).backward()
    torch.nn.utils.clip_grad_norm_(work.network.parameters(), 1.0)
    expected = {n: one.grad.clone() for n, one in work.network.named_parameters()}
    work._learn()
    for name, one in work.network.named_parameters():
        torch.testing.assert_close(one.grad, expected[name], rtol=1e-4, atol=1e-6)


def test_the_gradient_of_parts_holds_concordance_and_balance_of_the_whole(tmp_path):
    """Texts beside the voice: the loss by hand, and its gradient through everything at once."""
    plan = TrainPlan(epochs=1, batch=16, learning_rate=1e-9, accumulate=4)
    tasks = Tasks(categories=0.0, dimensions=2.0)
    work = fit(tmp_path / "state", plan=plan, tasks=tasks, dropout=0.0, fusion={}, balance=0.5)
    work.source = TextSource(work.source.heard.of_strangers(), work.source.texts)
    rows = np.concatenate(work._batch())
    heard = work.network(**work.source.inputs(rows, None))
    whole = 2 * concordance_loss(heard.dimensions, work.goals.dimensions[rows])
    (whole + 0.5 * load_balance(heard.routes)).backward()
    torch.nn.utils.clip_grad_norm_(work.network.parameters(), 1.0)
    told = {name: one.grad for name, one in work.network.named_parameters()}
    expected = {name: grad.clone() for name, grad in told.items() if grad is not None}
    assert any(name.startswith("head.router") for name in expected)
    work._learn()
    for name, grad in expected.items():
        found = work.network.get_parameter(name).grad
        torch.testing.assert_close(found, grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("branches", "learned_it"), [(("gs",), True), ((), False)])
def test_what_the_text_alone_says_is_learned_from_it(tmp_path, branches, learned_it):
    """Arousal is nowhere in the states, and in one number of GS."""
    from audmetric import concordance_cc

    truth = examples()[1].dimensions.numpy()[DEV, 1]
    work = fit(
        tmp_path / "state",
        plan=TrainPlan(epochs=10, batch=22, learning_rate=0.02),
        tasks=Tasks(categories=0.0, dimensions=1.0),
        fusion={"branches": branches},
        score=lambda found: concordance_cc(truth, found.dimensions[:, 1]),
    )
    work.run()
    best = max(epoch["score"] for epoch in work.history)
    assert (best > 0.5) == learned_it


def test_predictions_come_in_the_order_that_was_asked(tmp_path):
    work = fit(tmp_path / "state")
    rows = np.array([50, 3, 17, 44, 2])
    found = work.read(rows)
    for place, row in enumerate(rows):
        alone = work.read(np.array([row]))
        np.testing.assert_allclose(found.categories[place], alone.categories[0], atol=1e-5)
        np.testing.assert_allclose(found.dimensions[place], alone.dimensions[0], atol=1e-5)


def test_rare_labels_weigh_more_only_where_that_is_asked(tmp_path):
    rare = torch.tensor([[1.0, 0.0]] * 33 + [[0.0, 1.0]] * 27)  # of training 33 and 11
    plan = TrainPlan(1, 16, 0.1, class_weights=True)
    weighted = fit(tmp_path / "a", plan=plan, categories=rare)
    assert weighted.weights.tolist() == pytest.approx([2 / 3, 2])
    assert fit(tmp_path / "b", categories=rare).weights.tolist() == [1, 1]


def test_a_loss_that_is_no_number_is_refused(tmp_path):
    work = fit(tmp_path / "state", plan=TrainPlan(epochs=3, batch=16, learning_rate=1e30))
    with pytest.raises(
        ConfigError, match=r"^fold_0: the loss is nan at step \d+; lower train\.lea"
    ):
        work.run()


def test_progress_is_told_with_the_time_that_is_left(tmp_path, caplog):
    caplog.set_level("INFO")
    fit(tmp_path / "state").run()
    assert "fold_0, epoch 1 of 4: loss " in caplog.messages[0]
    assert "dev uar " in caplog.messages[0]
    assert caplog.messages[0].endswith("s left")
    fit(tmp_path / "state").run()
    assert caplog.messages[-1] == "fold_0: going on from step 12 of 12"


def test_the_board_hears_of_every_epoch(tmp_path):
    told = []

    class Board:
        def add_scalar(self, *args):
            told.append(args)

    work = fit(tmp_path / "state")
    work.board = Board()
    work.run()
    assert [name for name, _, _ in told] == ["fold_0/loss", "fold_0/score"] * PLAN.epochs
    assert [epoch for _, _, epoch in told[::2]] == [1, 2, 3, 4]


def test_batches_hold_everything_once_and_recordings_of_similar_length():
    lengths = np.random.default_rng(0).integers(1, 1000, 500).tolist()
    found = batches(lengths, 16, np.random.default_rng(1))
    assert sorted(np.concatenate(found).tolist()) == list(range(500))
    spread = np.mean([np.ptp([lengths[row] for row in rows]) for rows in found])
    assert spread < 200  # of any sixteen it is about 880
    again = batches(lengths, 16, np.random.default_rng(2))
    assert [rows.tolist() for rows in again] != [rows.tolist() for rows in found]


def test_the_learning_rate_rises_and_falls():
    rates = [loop.rate(step, 100, 0.1) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == rates[10] == 1
    assert rates[-1] == pytest.approx(1 / 90)
    assert loop.rate(0, 100, 0.0) == 1
