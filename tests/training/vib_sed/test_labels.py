"""Labels: what a corpus says of its own recordings."""

from dataclasses import replace
from pathlib import Path

from voxplain.models.description import Description
from voxplain.training.corpora._reading import Utterance
from voxplain.training.vib_sed.labels import given


def test_a_corpus_may_tell_levels_of_its_own():
    one = Utterance(
        Path("a.wav"), "speechcraft", "", "", "fear", "", text="Go away, now!",
        described={"pitch": 1, "tempo": 0}, emphasis=(1,),
    )  # fmt: skip
    found = given(one)
    assert found.measured == found.certain
    assert found.measured == Description({"pitch": 1, "tempo": 0}, "", ("away",), "fear")
    assert given(replace(one, emphasis=(0, 1))).measured.emphasised is None  # more than one
    assert given(replace(one, emphasis=())).measured.emphasised is None
