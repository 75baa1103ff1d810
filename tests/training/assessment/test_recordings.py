"""What a command line calls a corpus."""

import dataclasses

import pytest
import soundfile

from voxplain.errors import ConfigError, CorpusNotFound, UnknownName
from voxplain.training.assessment.recordings import duration, names_corpus, recordings


def test_a_table_goes_by_the_name_that_it_is_given(listed):
    found = recordings(f"mine={listed}")
    assert found.name == "mine"
    assert {one.corpus for one in found.utterances} == {"mine"}
    assert [one.emotion for one in found.utterances] == [
        "angry",
        "sad",
        "neutral",
        "happy",
        "angry",
    ]
    assert found.card is None
    assert found.people == {}


def test_a_split_is_a_part_of_it(listed):
    found = recordings(f"mine={listed}#test")
    assert found.name == "mine#test"
    assert {one.speaker for one in found.utterances} == {"cremad_1001", "someone"}


def test_a_corpus_comes_with_its_card_and_its_people(tmp_path):
    (tmp_path / "1001_DFA_ANG_XX.wav").touch()
    (tmp_path / "VideoDemographics.csv").write_text(
        "ActorID,Age,Sex,Race,Ethnicity\n1001,51,M,C,N\n"
    )
    found = recordings(f"cremad={tmp_path}")
    assert found.card.title == "CREMA-D"
    assert found.people["cremad_1001"]["Age"] == "51"


def test_models_and_corpora_are_told_apart():
    assert names_corpus("emodb=DIR")
    assert not names_corpus("runs/model")


@pytest.mark.parametrize("argument", ["emodb=", "=DIR", "emodb", "emodb=DIR#"])
def test_what_names_no_corpus(argument):
    with pytest.raises(ConfigError, match=rf"a corpus is CORPUS=DIR or .* not '{argument}'"):
        recordings(argument)


def test_a_place_that_is_not_there(tmp_path):
    with pytest.raises(CorpusNotFound, match=r"there is no .*nowhere; give the place"):
        recordings(f"emodb={tmp_path / 'nowhere'}")


def test_a_folder_of_nobody_knows_what(tmp_path):
    with pytest.raises(CorpusNotFound, match=r"unknown corpus 'emodbb'.* Did you mean 'emodb'"):
        recordings(f"emodbb={tmp_path}")


def test_a_split_that_is_not_there(listed, tmp_path):
    with pytest.raises(UnknownName, match=r"unknown split of mine 'tset'.* mean 'test'"):
        recordings(f"mine={listed}#tset")
    (tmp_path / "03a01Wa.wav").touch()
    with pytest.raises(ConfigError, match="no splits; leave out #test"):
        recordings(f"emodb={tmp_path}#test")


def test_how_long_an_utterance_is(utterance, tmp_path, angry):
    samples, rate = soundfile.read(angry)
    one = dataclasses.replace(utterance(0, "ann", "sad"), path=angry)
    assert duration(one) == pytest.approx(len(samples) / rate)
    assert duration(dataclasses.replace(one, start=1.0)) == pytest.approx(len(samples) / rate - 1)
    assert duration(dataclasses.replace(one, start=1.0, end=1.5)) == 0.5
