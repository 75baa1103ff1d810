"""The loop learns what can be learned, and what is heard in a recording depends on it alone."""

import math

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from voxplain.models.profile import Profile
from voxplain.models.speech_network import SpeechHead, Spoken
from voxplain.training import loop
from voxplain.training.examples import NOBODY, Examples, Moments, Targets
from voxplain.training.loop import Schedule, fit, loss
from voxplain.training.sounds import SOUNDS

WIDTH = 6
NAN = float("nan")
SCHEDULE = Schedule(epochs=12, batch=8, learning_rate=0.01, weight_decay=0.01, mixup=0.4)
VALENCE, AROUSAL, DOMINANCE = 0.2, 0.5, 0.7


def examples(n, *, seed, speakers=("ann",), apart=0.0, copies=1, sounds=0):
    """States of 3-30 frames in which dimension 0 or 1 is raised: class 0 or 1, valence 0.2 or 0.8.

    Speakers are ``apart`` in the same two dimensions. In the sounds at the end dimension 3 is.
    """
    random = np.random.default_rng(seed)
    spoken = np.arange(n) < n - sounds
    label = random.permutation(n) % 2
    places = {name: apart * random.normal(size=2) for name in speakers}
    names = np.array(
        [speakers[row // 2 % len(speakers)] if one else NOBODY for row, one in enumerate(spoken)]
    )

    def states(row):
        found = random.normal(size=(random.integers(3, 31), WIDTH))
        if names[row]:
            found[:, :2] += places[names[row]]
            found[:, label[row]] += 2
        else:
            found[:, 3] += 4
        return found.astype(np.float16)

    category = np.eye(2)[label] * spoken[:, None]
    points = np.column_stack([np.where(label, 0.8, 0.2), np.full(n, 0.5), np.full(n, 0.7)])
    points[~spoken] = NAN
    sound = np.eye(len(SOUNDS))[np.where(spoken, 0, 1)]
    known = (category, category * (0.5, 1) + category[:, :1] * (0, 0.5), points, sound)
    return Examples(
        copies=[[states(row) for row in range(n)] for _ in range(copies)],
        targets=Targets(*(torch.from_numpy(one).float() for one in known)),
        speakers=names,
        neutral=label == 0,
        folds=np.zeros(n, int),
    )


def trained(heard, *, seed=0, schedule=SCHEDULE, labels=2):
    usual = Moments(heard.copies).of(np.flatnonzero(heard.speakers != NOBODY))
    torch.manual_seed(0)
    head = SpeechHead(
        mean=torch.tensor(usual.mean).float(),
        square=torch.tensor(usual.square).float(),
        channels=8,
        labels=labels,
        votes=2,
        sounds=len(SOUNDS),
        dropout=0.1,
    )
    torch.seed()  # what happened before must not matter
    fit(head, heard, schedule, seed=seed)
    return head


def read(head, states, profile=None):
    """What one recording says, alone."""
    known = profile or Profile.empty(WIDTH)
    given = (known.mean, known.square, np.array(known.trust))
    with torch.inference_mode():
        return head(
            torch.from_numpy(states[None]).float(),
            *(torch.tensor(one[None]).float() for one in given),
        )


def right(head, heard, profiles=None):
    """Share of the utterances whose class is found."""
    known = profiles or [None] * len(heard.speakers)
    found = [
        read(head, s, p).categories.argmax() for s, p in zip(heard.copies[0], known, strict=True)
    ]
    return float(np.mean(np.array(found) == heard.targets.categories.argmax(1).numpy()))


@pytest.fixture(scope="module")
def head():
    return trained(examples(160, seed=0, copies=2, sounds=40))


def weights(network):
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def test_what_can_be_separated_is_learned(head):
    assert right(head, examples(60, seed=1)) > 0.95


def test_everything_that_is_asked_is_learned(head):
    heard = examples(80, seed=2, sounds=20)
    told = Spoken(
        *(torch.cat(part) for part in zip(*(read(head, s) for s in heard.copies[0]), strict=True))
    )
    spoken = heard.targets.sound[:, 0] == 1
    assert ((told.sound.argmax(1) == 0) == spoken).float().mean() > 0.95
    valence, (low, value, high) = heard.targets.dimensions[spoken, 0], told.dimensions[spoken, 0].T
    assert torch.corrcoef(torch.stack([valence, value]))[0, 1] > 0.8
    assert ((low < valence) & (valence < high)).float().mean() > 0.8
    # Of class 0 half the listeners hear class 1, of class 1 all of them.
    share = told.perceived[spoken].softmax(1)[:, 1]
    assert share[valence < 0.5].mean() == pytest.approx(0.5, abs=0.15)
    assert share[valence > 0.5].mean() > 0.8


def test_after_training_nothing_is_dropped_out(head):
    assert not head.training
    (states, *_) = examples(5, seed=2).copies[0]
    assert torch.equal(read(head, states).categories, read(head, states).categories)


def test_neither_company_nor_padding_is_heard(head):
    heard = [torch.from_numpy(states).float() for states in examples(20, seed=3).copies[0]]
    padded = pad_sequence(heard, batch_first=True, padding_value=100)
    mask = torch.arange(padded.shape[1]) < torch.tensor([len(states) for states in heard])[:, None]
    nothing = (
        torch.zeros(len(heard), WIDTH),
        torch.zeros(len(heard), WIDTH),
        torch.zeros(len(heard)),
    )
    with torch.inference_mode():
        together = head(padded, *nothing, mask)
    for row, states in enumerate(heard):
        for one, alone in zip(together, read(head, states.numpy()), strict=True):
            torch.testing.assert_close(one[row], alone[0], atol=1e-4, rtol=0)


def test_the_same_seed_gives_the_same_network_and_another_another():
    heard = examples(24, seed=0, copies=2, sounds=8)
    short = Schedule(epochs=2, batch=8, learning_rate=0.01, weight_decay=0.01, mixup=0.4)
    first, again, other = (weights(trained(heard, seed=s, schedule=short)) for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("batch", [7, 64])
def test_batches_may_leave_a_rest_or_be_one(batch):
    schedule = Schedule(epochs=2, batch=batch, learning_rate=0.01, weight_decay=0.0, mixup=0.4)
    assert weights(trained(examples(16, seed=0), schedule=schedule)).isfinite().all()


def test_a_class_that_was_not_heard_is_no_trouble():
    heard = examples(16, seed=0)
    padded = torch.nn.functional.pad(heard.targets.categories, (0, 1))
    object.__setattr__(heard, "targets", heard.targets._replace(categories=padded))
    schedule = Schedule(epochs=1, batch=8, learning_rate=0.01, weight_decay=0.0, mixup=0.4)
    network = trained(heard, schedule=schedule, labels=3)
    assert read(network, heard.copies[0][0]).categories.shape == (1, 3)


PEOPLE = tuple(f"s{number}" for number in range(24))


@pytest.fixture(scope="module")
def relative():
    """A head for speakers who differ from each other by more than the classes do."""
    schedule = Schedule(epochs=16, batch=16, learning_rate=0.01, weight_decay=0.01, mixup=0.4)
    return trained(examples(480, seed=4, speakers=PEOPLE, apart=3), schedule=schedule)


def test_what_differs_within_a_speaker_only_is_heard_with_a_profile(relative):
    """Of speakers who were never heard before: of each a profile of their other utterances."""
    heard = examples(160, seed=5, speakers=("t", "u", "v", "w"), apart=3)
    moments = Moments(heard.copies)
    profiles = []
    for row, speaker in enumerate(heard.speakers):
        others = np.flatnonzero(heard.speakers == speaker)
        profiles.append(moments.of(others[others != row]))
    known, unknown = right(relative, heard, profiles), right(relative, heard)
    assert known > 0.9
    assert unknown < 0.75
    swapped = [profiles[np.flatnonzero(heard.speakers != s)[0]] for s in heard.speakers]
    assert right(relative, heard, swapped) < 0.75  # it is not that any profile would do


class Mirror(torch.nn.Module):
    """A head that learns nothing and keeps what it is given."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.given, self.mixed, self.aims = [], [], []

    def normalise(self, states, mean, square, trust):
        self.given += zip(states[:, 0], mean, trust, strict=True)
        return states

    def judge(self, states, mask):
        assert mask[:, 0].all()
        self.mixed.append(states[:, 0])
        return Spoken(*[self.weight] * 4)

    def loss(self, heard, aim):
        self.aims.append(aim.categories)
        return heard.categories.sum()


@pytest.fixture
def mirror(monkeypatch):
    """What a head meets whose examples tell their row, in states as in targets.

    Twelve are Ann's, eight Bob's, of which every third is neutral, and four nobody's. States are
    twice as large where they have gone through a condition.
    """
    one_hot = np.eye(24, dtype=np.float16)
    plain = [np.repeat(row[None], 1 + n % 5, 0) for n, row in enumerate(one_hot)]
    nothing = torch.zeros(24, 3)

    def met(*, copies):
        heard = Examples(
            copies=[plain, [2 * one for one in plain]][:copies],
            targets=Targets(torch.eye(24), nothing, nothing, nothing),
            speakers=np.repeat(["ann", "bob", NOBODY], [12, 8, 4]),
            neutral=(np.arange(24) % 3 == 0) & (np.arange(24) < 20),
            folds=np.zeros(24, int),
        )
        head = Mirror()
        monkeypatch.setattr(loop, "loss", head.loss)
        fit(head, heard, Schedule(40, 7, 0.01, 0.0, mixup=0.4), seed=0)
        return head, heard

    return met


def test_recordings_and_what_they_are_called_are_mixed_alike(mirror):
    head, _ = mirror(copies=1)
    mixed, aims = torch.cat(head.mixed), torch.cat(head.aims)
    torch.testing.assert_close(mixed, aims, atol=1e-3, rtol=0)
    assert 0.5 <= aims.amax(1).min() < 0.6
    assert len(aims) == 24 * 40


def test_profiles_are_of_none_few_or_many_others_by_the_same_speaker(mirror):
    head, heard = mirror(copies=1)
    sizes, neutral = [], []
    for states, mean, trust in head.given:
        row, members = int(states.argmax()), np.flatnonzero(mean)
        assert row not in members
        assert set(heard.speakers[members]) <= {str(heard.speakers[row])} - {NOBODY}
        assert (trust > 0) == (len(members) > 0)
        if heard.speakers[row] == "ann":
            sizes.append(len(members))
        if len(members) > 2:
            neutral.append(bool(heard.neutral[members].all()))
    assert set(sizes) >= {0, 1, 3, 8, 11}  # of twelve there are eleven others at most
    assert 0.1 < np.mean(neutral) < 0.4


def test_half_of_the_times_a_recording_is_as_it_was(mirror):
    head, _ = mirror(copies=2)
    sizes = np.array([states.max() for states, *_ in head.given])
    assert set(sizes) == {1, 2}
    assert np.mean(sizes == 1) == pytest.approx(0.5, abs=0.05)


def spoken(categories=(0.0, 0.0), dimensions=((0.0, 0.0, 0.0),) * 3):
    """A row of what a head says, of equal votes and sounds."""
    parts = (categories, (0.0, 0.0), dimensions, (0.0, 0.0))
    return Spoken(*(torch.tensor([part]) for part in parts))


def told(categories=(0, 0), perceived=(0, 0), dimensions=(NAN, NAN, NAN), sound=(0, 0)):
    """A row of targets, of which nothing is known unless given."""
    parts = (categories, perceived, dimensions, sound)
    return Targets(*(torch.tensor([part], dtype=torch.float) for part in parts))


@pytest.mark.parametrize(
    ("heard", "aim", "expected"),
    [
        (spoken(), told(), 0),
        (spoken((0.0, math.log(3))), told(categories=(0, 1)), math.log(4 / 3)),
        (spoken((0.0, math.log(3))), told(categories=(1, 0)), math.log(4)),
        (spoken(), told(perceived=(0.3, 0.7)), 0.5 * math.log(2)),
        (spoken(), told(sound=(1, 0)), 0.25 * math.log(2)),
        # Value 0.2 too low, low 0.3 below and high 0.1 below the truth, in tenths.
        (
            spoken(dimensions=((0.2, 0.3, 0.4), (9.0, 9.0, 9.0), (9.0, 9.0, 9.0))),
            told(dimensions=(0.5, NAN, NAN)),
            0.5 * (0.5 * 2**2 + 0.05 * 3 + 0.95 * 1),
        ),
        # Value right, low 0.1 and high 0.2 above the truth; of two dimensions the mean.
        (
            spoken(dimensions=((0.6, 0.5, 0.7), (9.0, 9.0, 9.0), (0.1, 0.1, 0.1))),
            told(dimensions=(0.5, NAN, 0.1)),
            0.5 * (0.95 * 1 + 0.05 * 2) / 2,
        ),
    ],
)
def test_the_loss_by_hand(heard, aim, expected):
    assert loss(heard, aim).item() == pytest.approx(expected, rel=1e-5)


def test_the_intervals_of_the_least_loss_are_the_quantiles():
    """Of 0.00, 0.01 ... 1.00 a twentieth lies below 0.05 and above 0.95."""
    truth = torch.linspace(0, 1, 101)
    grid = torch.linspace(-0.1, 1.1, 121)

    def best(place):
        def error(guess):
            dimensions = torch.full((101, 3, 3), 0.5)
            dimensions[:, :, place] = guess
            nothing = torch.zeros(101, 2)
            heard = Spoken(nothing, nothing, dimensions, nothing)
            known = truth[:, None].expand(-1, 3)
            return loss(heard, Targets(nothing, nothing, known, nothing)).item()

        return grid[int(np.argmin([error(guess) for guess in grid]))].item()

    assert [best(0), best(1), best(2)] == pytest.approx([0.05, 0.5, 0.95], abs=0.0101)
