"""What hears learns first: from what is certain, and nothing but what hears."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from voxplain.errors import ConfigError
from voxplain.models import decoder
from voxplain.models.description import Description
from voxplain.models.vib_sed import Target, VibSed
from voxplain.training.experiment.recipe import Data, SplitPlan
from voxplain.training.experiment.sources import StateSource
from voxplain.training.vib_sed.ears import teach
from voxplain.training.vib_sed.recipe import FitPlan, FrozenEncoder, NetworkPlan, VibSedRecipe

N, DEPTH, WIDTH = 60, 2, 6
LABELS = ("angry", "sad")
RECIPE = VibSedRecipe(
    name="toy",
    data=Data(corpora=("toy",), labels=LABELS),
    split=SplitPlan(by="speaker"),
    encoder=FrozenEncoder("toy"),
    network=NetworkPlan(latent=4, hidden=16, stack=2, beta=1e-3, summary=True),
    train=FitPlan(epochs=1, batch=10, learning_rate=0.01, listening=10),
)


def level(row):
    return row % 3 - 1


@pytest.fixture(scope="module")
def source():
    """One dimension of the states says how high a voice is, another which emotion it has."""
    random = np.random.default_rng(0)
    states = []
    for row in range(N):
        one = random.normal(size=(DEPTH, random.integers(4, 12), WIDTH)).astype(np.float16)
        one[:, :, 0] += 3 * level(row)
        one[:, :, 1] += 3 if row % 2 else -3
        states.append(one)
    speakers = [f"s{row // 6}" for row in range(N)]
    return StateSource([states], speakers=speakers, seconds=[1.0] * N, profiles=False)


def made(**options):
    torch.manual_seed(0)
    tokenizer, llm = decoder.build(["pitch high: sounds angry"], size="0.5M")
    sizes = {"latent": 4, "hidden": 16, "stack": 2, "depth": DEPTH, "width": WIDTH}
    return VibSed(llm, tokenizer, **sizes, **{"summary": True} | options)


def taught(
    source, *, unsure=(), label=lambda row: LABELS[row % 2], places=None, recipe=RECIPE, **options
):
    network = made(**options)
    targets = {
        row: Target(Description({"pitch": level(row)}, label=label(row)), frozenset(unsure))
        for row in range(40)
    }
    places = places or (lambda row: {})
    where = {row: places(row) for row in targets}
    teach(network, source, targets, where, recipe=recipe, seed=0)
    return network


def told(network, source, wanted):
    """Share of the other clips whose level a line through their summaries tells."""
    network.eval()
    with torch.no_grad():
        found = network.summarised(**source.inputs(np.arange(N), None))[0].double().numpy()
    known = np.c_[found - found[:40].mean(0), np.ones(N)]
    truth = np.array([wanted(row) for row in range(N)])
    line = np.linalg.solve(known[:40].T @ known[:40] + np.eye(known.shape[1]), known[:40].T)
    guess = known[40:] @ (line @ truth[:40])
    return float(np.mean(np.abs(guess - truth[40:]) < 0.5))


def test_the_summary_comes_to_tell_levels_and_emotion(source):
    network = taught(source)
    assert told(network, source, level) > 0.85
    assert told(network, source, lambda row: 2 * (row % 2)) > 0.9


def test_what_was_measured_teaches_where_a_level_is_unsure(source):
    """The emotion teaches something in any case: of a clip without one nothing is asked."""
    untaught = taught(source, unsure=("pitch",))
    network = taught(source, unsure=("pitch",), places=lambda row: {"pitch": float(level(row))})
    assert told(network, source, level) > max(0.85, told(untaught, source, level))


def test_a_measurement_that_failed_counts_no_more_than_three_deviations(source):
    far, further = (
        taught(source, places=lambda row, far=far: {"pitch": far if row == 7 else 0.0})
        for far in (3.0, 300.0)
    )
    before = far.state_dict()
    assert all(torch.equal(one, before[name]) for name, one in further.state_dict().items())


@pytest.mark.parametrize(
    ("options", "branch"), [({}, "descriptors"), ({"disentangled": False}, "shared")]
)
def test_nothing_learns_but_what_hears(source, options, branch):
    before, network = made(**options).state_dict(), taught(source, **options)
    changed = {n for n, one in network.state_dict().items() if not torch.equal(one, before[n])}
    assert changed
    parts = f"blocks.{branch}.", f"adapters.{branch}."
    assert all(name.startswith(parts) for name in changed)


def test_it_learns_the_same_again(source):
    first, again = (taught(source).state_dict() for _ in range(2))
    assert all(torch.equal(one, again[name]) for name, one in first.items())


def test_what_is_unsure_teaches_nothing(source):
    other = taught(source, unsure=("pitch",), label=lambda _: "").state_dict()
    assert all(torch.equal(one, other[name]) for name, one in made().state_dict().items())


def test_who_reads_the_emotion_from_descriptors_does_not_hear_it(source):
    one, other = (
        taught(source, concept=True, label=label).state_dict()
        for label in (lambda row: LABELS[row % 2], lambda row: LABELS[row % 3 % 2])
    )
    assert all(torch.equal(weight, other[name]) for name, weight in one.items())


def test_the_emotion_counts_as_much_as_the_recipe_says(source):
    more = replace(RECIPE, train=replace(RECIPE.train, listening_emotion=5.0))
    plain, heavy = (taught(source, recipe=one).state_dict() for one in (RECIPE, more))
    assert not all(torch.equal(one, heavy[name]) for name, one in plain.items())


def test_without_a_summary_there_is_nothing_to_teach(source):
    with pytest.raises(ConfigError, match=r"no summary of a clip; make it with summary=True"):
        made(summary=False).summarised(**source.inputs(np.arange(2), None))
