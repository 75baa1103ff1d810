"""What utterances should sound like: by hand, from the coordinates of Russell & Mehrabian (1977).

Angry lies at (-0.51, 0.59, 0.25), happy at (0.81, 0.51, 0.46), sad at (-0.63, -0.27, -0.33).
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from voxplain.training.corpora._reading import Ratings, Utterance
from voxplain.training.targets import dimensions, portrayed, votes


def utterance(emotion, ratings=None):
    """``ratings``: label -> how many chose it, how strong they found it."""
    if ratings is not None:
        ratings = Ratings(
            votes={label: count for label, (count, _) in ratings.items()},
            intensity={label: strength for label, (_, strength) in ratings.items()},
        )
    return Utterance(Path(f"{emotion}.wav"), "made", "made_1", "female", emotion, "A", ratings)


def test_the_portrayed_emotion_is_an_index():
    spoken = [utterance("sad"), utterance("angry"), utterance("sad")]
    assert portrayed(spoken, ["angry", "happy", "sad"]).tolist() == [2, 0, 2]


def test_votes_are_shares_and_nothing_where_nobody_was_asked():
    spoken = [
        utterance("sad", {"sad": (3, 40), "neutral": (1, 80)}),
        utterance("sad"),
        utterance("angry", {"angry": (9, 70)}),
    ]
    labels = ["angry", "neutral", "sad"]
    assert votes(spoken, labels).tolist() == [[0, 0.25, 0.75], [0, 0, 0], [1, 0, 0]]


def test_of_votes_for_labels_that_were_not_asked_for_the_rest_counts():
    spoken = [utterance("sad", {"sad": (1, 40), "neutral": (1, 80), "fear": (2, 60)})]
    assert votes(spoken, ["neutral", "sad"]).tolist() == [[0.5, 0.5]]


def test_without_votes_the_dimensions_are_those_of_the_portrayed_emotion():
    found = dimensions([utterance("happy"), utterance("sad"), utterance("neutral")])
    np.testing.assert_allclose(
        found, [[0.905, 0.755, 0.73], [0.185, 0.365, 0.335], [0.5, 0.5, 0.5]], atol=1e-12
    )


def test_with_votes_they_are_the_mean_of_what_was_heard_each_as_strong_as_it_was_heard():
    spoken = [
        # Whatever was portrayed: 80 % heard anger at 60, the others nothing.
        utterance("happy", {"angry": (8, 60), "neutral": (2, 95)}),
        utterance("sad", {"sad": (4, 30)}),
        # Half of each: valence (-0.51 + 0.81) / 2, arousal and dominance likewise.
        utterance("angry", {"angry": (3, 50), "happy": (3, 50)}),
        utterance("neutral", {"neutral": (9, 70)}),
        utterance("happy"),  # nobody was asked
    ]
    usual = (8 * 60 + 4 * 30 + 3 * 50 + 3 * 50) / (8 + 4 + 3 + 3)  # of neutral it is not asked
    assert usual == 50
    strong = 0.8 * 60 / 50
    faint = 30 / 50
    expected = [
        [-0.51 * strong, 0.59 * strong, 0.25 * strong],
        [-0.63 * faint, -0.27 * faint, -0.33 * faint],
        [0.15, 0.55, 0.355],
        [0, 0, 0],
        [0.81, 0.51, 0.46],
    ]
    np.testing.assert_allclose(2 * dimensions(spoken) - 1, expected, atol=1e-12)


def test_nothing_lies_beyond_the_ends_of_the_scales():
    spoken = [
        utterance("happy", {"happy": (1, 90)}),
        utterance("sad", {"sad": (1, 90)}),
        utterance("angry", {"angry": (16, 10)}),
    ]
    # Usual is 340 / 18, so that the first two are 4.76 times as strong.
    first, second, _ = dimensions(spoken).tolist()
    assert first == [1, 1, 1]
    assert second == [0, 0, 0]


def test_rated_dimensions_come_before_any_proxy_and_what_nothing_tells_is_nan():
    rated = replace(utterance("happy"), dimensions={"valence": 0.25, "arousal": 1.0})
    votes_alone = replace(utterance("sad"), ratings=Ratings(votes={"angry": 3}, intensity={}))
    found = dimensions([rated, utterance(""), votes_alone])
    nan = np.nan
    np.testing.assert_allclose(
        found, [[0.25, 1, 0.73], [nan, nan, nan], [0.185, 0.365, 0.335]], atol=1e-12
    )
