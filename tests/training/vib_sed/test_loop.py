"""Mini-batches take turns, each teaches what it should, and a kill changes nothing."""

import functools
import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from voxplain.errors import ConfigError
from voxplain.models import decoder
from voxplain.models.description import Description
from voxplain.models.vib_sed import Target, VibSed
from voxplain.training.experiment import loop as experiment
from voxplain.training.experiment.recipe import Data, SplitPlan
from voxplain.training.experiment.sources import StateSource
from voxplain.training.vib_sed.loop import Fit, Told
from voxplain.training.vib_sed.recipe import (
    FitPlan,
    FrozenEncoder,
    NetworkPlan,
    TaskPlan,
    VibSedRecipe,
)

N, DEPTH, WIDTH = 20, 2, 6
TRAIN, DEV = np.arange(14), np.arange(14, N)
LABELS = ("angry", "sad")
SIZE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}


def told(silent=()):
    """Words and emotion say which of two dimensions of the states is raised."""
    transcripts = ["" if row in silent else ("yes please", "no")[row % 2] for row in range(N)]
    targets = [Target(Description(label=LABELS[row % 2])) for row in range(N)]
    return Told(transcripts, [one.split() for one in transcripts], targets)


def source():
    random = np.random.default_rng(0)
    states = []
    for row in range(N):
        one = random.normal(size=(DEPTH, random.integers(3, 9), WIDTH)).astype(np.float16)
        one[:, :, row % 2] += 4
        states.append(one)
    speakers = [f"s{row // 4}" for row in range(N)]
    return StateSource([states], speakers=speakers, seconds=[1.0] * N, profiles=False)


def uar(found):
    return float(np.mean([one.description.label == LABELS[n % 2] for n, one in enumerate(found)]))


def fit(state, *, silent=(), score=uar, network=None, tasks=None, **train):
    recipe = VibSedRecipe(
        name="toy",
        data=Data(corpora=("toy",), labels=LABELS),
        split=SplitPlan(by="speaker"),
        encoder=FrozenEncoder("toy"),
        train=FitPlan(**{"epochs": 2, "batch": 6, "learning_rate": 0.01} | train),
        network=replace(NetworkPlan(latent=4, hidden=8, stack=2, beta=0.1), **network or {}),
        tasks=replace(TaskPlan(descriptors=False), **tasks or {}),
    )
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(decoder.SIZES, "0.5M", SIZE)
        tokenizer, llm = decoder.build(
            ["yes please", "no", "sounds angry", "sounds sad"], size="0.5M"
        )
    plan = recipe.network
    vib = VibSed(
        llm,
        tokenizer,
        depth=DEPTH,
        width=WIDTH,
        latent=plan.latent,
        hidden=plan.hidden,
        stack=plan.stack,
        disentangled=plan.disentangled,
        compression=plan.compression,
        summary=plan.summary,
    )
    torch.seed()  # what happened before must not matter
    return Fit(
        vib,
        source(),
        told(silent),
        recipe=recipe,
        train=TRAIN,
        dev=DEV,
        seed=1,
        score=score,
        accelerator=Accelerator(cpu=True),
        state=state,
        name="fold_0",
    )


def weights(work):
    return {name: one.detach().clone() for name, one in work.vib.named_parameters()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def turns(work, epoch=0):
    """Of an epoch: the tasks and rows of each step."""
    work.step, work.turns = epoch * work.per_epoch, []
    found = []
    for _ in range(work.per_epoch):
        found.append([(task, rows.tolist()) for task, rows in work._turn()])
        work.step += 1
    return found


def test_words_and_descriptors_take_turns_and_each_hears_every_recording(tmp_path):
    work = fit(tmp_path / "state")
    found = turns(work)
    assert [[task for task, _ in step] for step in found] == [["asr"], ["sed"]] * 3
    assert work.steps == 12
    for task in ("asr", "sed"):
        rows = [row for step in found for name, some in step if name == task for row in some]
        assert sorted(rows) == TRAIN.tolist()
    assert turns(work, epoch=1) != found
    assert turns(work) == found  # whatever came between


def test_words_may_be_learned_beside_or_not_at_all(tmp_path):
    both = turns(fit(tmp_path / "a", tasks={"asr": "joint"}))
    assert [[task for task, _ in step] for step in both] == [["asr", "sed"]] * 3
    alone = turns(fit(tmp_path / "b", tasks={"asr": "none"}))
    assert [[task for task, _ in step] for step in alone] == [["sed"]] * 3


def test_recordings_without_words_are_described_all_the_same(tmp_path):
    found = turns(fit(tmp_path / "a", silent=range(2, N)))
    assert [[task for task, _ in step] for step in found] == [["sed"], ["asr"], ["sed"], ["sed"]]
    asr = [rows for step in found for task, rows in step if task == "asr"]
    assert [sorted(rows) for rows in asr] == [[0, 1]]
    sed = [row for step in found for task, rows in step if task == "sed" for row in rows]
    assert sorted(sed) == TRAIN.tolist()
    both = turns(fit(tmp_path / "b", silent=range(2, N), tasks={"asr": "joint"}))
    assert [sorted(rows) for (_, rows), _ in both] == [[0, 1]] * 3  # come again


def test_without_a_descriptor_no_concept_is_learned_from(tmp_path):
    work = fit(tmp_path / "state", network={"concept": True}, tasks={"asr": "none"})
    assert not len(work.known("sed", TRAIN))
    targets = [
        Target(Description({"pitch": 1} if row < 9 else {}, label="sad")) for row in range(N)
    ]
    work.told = replace(work.told, targets=targets)
    assert work.known("sed", TRAIN).tolist() == list(range(9))
    batches = work._turns(np.random.default_rng(0))
    assert sorted(row for step in batches for _, rows in step for row in rows) == list(range(9))


def test_a_step_moves_what_its_task_learns_and_nothing_else(tmp_path):
    """Also when the optimiser has a momentum for the rest."""
    work = fit(tmp_path / "state", weight_decay=0.1)
    own = {"asr": "content", "sed": "descriptors"}
    for task in ("asr", "sed", "asr", "sed"):
        before = weights(work)
        assert work._turn()[0][0] == task
        work._learn()
        work.step += 1
        moved = {name for name, one in weights(work).items() if not torch.equal(one, before[name])}
        assert {name for name in moved if not name.startswith("llm.")} == {
            name
            for name in before
            if name.startswith((f"blocks.{own[task]}.", f"adapters.{own[task]}."))
        }
        assert any(name.startswith("llm.") for name in moved)
        assert moved <= work.vib.learned_by(task)


def test_beta_rises_in_a_line_over_its_share_of_the_steps(tmp_path):
    work = fit(tmp_path / "state", network={"beta": 0.4, "warm_up": 0.5})  # 12 steps, 6 to rise
    found = []
    for work.step in range(8):
        found.append(work.beta)
    assert found == pytest.approx([0, 0.4 / 6, 0.8 / 6, 0.2, 1.6 / 6, 2 / 6, 0.4, 0.4])
    assert fit(tmp_path / "b", network={"beta": 0.4, "warm_up": 0.0}).beta == 0.4


def test_what_can_be_learned_is_learned(tmp_path):
    last = itertools.count()  # is the best
    plan = {"epochs": 28, "learning_rate": 0.02, "network": {"beta": 1e-3}}
    work = fit(tmp_path / "state", score=lambda _: next(last), **plan)
    work.run()
    found = work.read(DEV)
    assert uar(found) == 1
    assert work.transcribe(DEV) == ["yes please", "no"] * 3


def test_answers_come_in_the_order_that_was_asked(tmp_path):
    work = fit(tmp_path / "state")
    rows = np.array([17, 3, 16, 8])
    found = work.read(rows)
    for row, one in zip(rows, found, strict=True):
        (alone,) = work.read(np.array([row]))
        assert one.probabilities["emotion"] == pytest.approx(alone.probabilities["emotion"])


def test_the_rate_is_the_mean_over_recordings(tmp_path):
    work = fit(tmp_path / "state")
    apart = [work.rate(np.array([row]), "sed") for row in DEV]
    assert work.rate(DEV, "sed") == pytest.approx(np.mean(apart), rel=1e-4)
    assert min(apart) > 0


class Killed(BaseException):
    pass


def stoppable(state, compression, asr):
    return fit(
        state,
        **{"network": {"compression": compression}, "tasks": {"asr": asr}},
        **{"save_every": 1, "accumulate": 2, "batch": 8, "epochs": 3},
    )


@pytest.fixture(scope="module")
def unstopped(tmp_path_factory):
    """What is learned without a stop, once for all who are stopped."""

    @functools.cache
    def whole(*given):
        work = stoppable(tmp_path_factory.mktemp("whole") / "state", *given)
        work.run()
        return work

    return whole


@pytest.mark.parametrize("number", [1, 4, 6])
@pytest.mark.parametrize("given", [("vib", "alternating"), ("mi", "joint")], ids=" ".join)
def test_whoever_is_stopped_goes_on_to_the_same_bits(
    tmp_path, monkeypatch, unstopped, number, given
):
    whole = unstopped(*given)
    written, save = [], experiment.save_state

    def stop(*args):
        save(*args)
        written.append(args)
        if len(written) == number:
            raise Killed

    monkeypatch.setattr(experiment, "save_state", stop)
    with pytest.raises(Killed):
        stoppable(tmp_path / "state", *given).run()
    monkeypatch.setattr(experiment, "save_state", save)
    resumed = stoppable(tmp_path / "state", *given)
    resumed.run()
    assert same(weights(resumed), weights(whole))
    assert resumed.history == whole.history
    assert resumed.state.read_bytes() == whole.state.read_bytes()


def test_what_is_held_stays_and_is_kept(tmp_path):
    """Whoever goes on did not listen again, so that the state holds it."""
    plan = {"network": {"summary": True}, "listening": 1, "held": True}
    work = fit(tmp_path / "state", **plan)
    with torch.no_grad():
        for one in work.vib.summarising().parameters():
            one.add_(1.0)
    before = weights(work)
    work.run()
    after = weights(work)
    stays = {name for name in before if torch.equal(before[name], after[name])}
    of_summary = ("blocks.descriptors.", "adapters.descriptors.attend.", "adapters.descriptors.sum")
    assert stays == {name for name in before if name.startswith(of_summary)}

    resumed = fit(tmp_path / "state", **plan)
    resumed.run()
    assert same(weights(resumed), after)


def test_a_batch_in_parts_learns_what_the_whole_does(tmp_path):
    """Where nothing is drawn at random, and all targets are as long."""
    found = []
    for parts in (1, 3):
        work = fit(
            tmp_path / str(parts),
            tasks={"asr": "none"},
            network={"compression": "none"},
            accumulate=parts,
        )
        work._learn()
        found.append(
            {n: one.grad for n, one in work.vib.named_parameters() if one.grad is not None}
        )
    assert found[0].keys() == found[1].keys()
    for name, grad in found[0].items():
        torch.testing.assert_close(found[1][name], grad, rtol=1e-3, atol=1e-6)


def test_a_loss_that_is_no_number_is_refused(tmp_path):
    work = fit(tmp_path / "state", learning_rate=1e30)
    with pytest.raises(
        ConfigError, match=r"^fold_0: the loss is (nan|inf) at step \d+; lower train\.learning_rate"
    ):
        work.run()


def test_a_figure_that_is_not_defined_is_never_the_best(tmp_path):
    scores = iter([0.1, math.nan])
    work = fit(tmp_path / "state", score=lambda _: next(scores))
    work.run()
    assert work.chosen == 0
