"""Which utterances are heard, what in them, after which conditions; and only once."""

import functools
import importlib
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from voxplain.audio import read
from voxplain.audio.listening import Listener
from voxplain.backbones.embedded import EmbeddedBackbone
from voxplain.errors import AudioError, ConfigError, CorpusNotFound, UnknownName
from voxplain.training.conditions import Loudness, Noise
from voxplain.training.corpora._reading import Utterance
from voxplain.training.hearing import companions, hear, hear_sounds, of_each, read_corpora
from voxplain.training.sounds import SOUNDS

LABELS = ("angry", "sad")


@pytest.fixture
def roots(tmp_path):
    """Two corpora of two clips of interest each, and one of another emotion."""
    names = {
        "emodb": ["03a01Wa", "08a01Tb", "08a01Lb"],
        "cremad": ["1001_DFA_ANG_XX", "1002_DFA_SAD_XX", "1001_DFA_FEA_XX"],
    }
    for corpus, stems in names.items():
        (tmp_path / corpus).mkdir()
        for stem in stems:
            (tmp_path / corpus / f"{stem}.wav").touch()
    return {corpus: tmp_path / corpus for corpus in names}


def stems(utterances):
    return [utterance.path.stem for utterance in utterances]


def test_corpora_follow_each_other_as_they_are_named(roots):
    found = read_corpora(["emodb", "cremad"], roots=roots, labels=LABELS)
    assert stems(found) == ["03a01Wa", "08a01Tb", "1001_DFA_ANG_XX", "1002_DFA_SAD_XX"]


def test_only_what_is_named_is_read(roots):
    found = read_corpora(["cremad"], roots=roots, labels=["fear"])
    assert stems(found) == ["1001_DFA_FEA_XX"]


def test_speakers_may_be_left_out(roots):
    found = read_corpora(
        ["cremad", "emodb"], roots=roots, labels=LABELS, left_out=["cremad_1001", "emodb_08"]
    )
    assert stems(found) == ["1002_DFA_SAD_XX", "03a01Wa"]


def test_a_corpus_without_a_root_is_named_before_anything_is_read():
    expected = r"^the corpus 'emodb' has no root; give --root emodb=FOLDER$"
    with pytest.raises(ConfigError, match=expected):
        read_corpora(["cremad", "emodb"], roots={"cremad": None}, labels=LABELS)


def test_an_unknown_corpus_is_named_with_a_hint(roots):
    expected = r"^unknown corpora plug-in 'emobd'; available: .*\. Did you mean 'emodb'\?$"
    with pytest.raises(UnknownName, match=expected):
        read_corpora(["emobd"], roots={"emobd": roots["emodb"]}, labels=LABELS)


def test_a_root_that_is_another_corpus_is_refused(roots):
    with pytest.raises(CorpusNotFound, match="emodb holds no file named like"):
        read_corpora(["cremad"], roots={"cremad": roots["emodb"]}, labels=LABELS)


@pytest.fixture
def measure(tmp_path, monkeypatch):
    """Write the code of a measurement (of the item ``p``); each call leaves a line in a diary."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(expression):
        diary = f"open({str(tmp_path / 'diary')!r}, 'a')"
        lines = [
            "def measure(p, **given):",
            f"    with {diary} as diary:",
            "        print(p, file=diary)",
        ]
        code = "\n".join([*lines, f"    return {expression}"])
        (tmp_path / "voxplain_test_measure.py").write_text(code, encoding="utf-8")
        importlib.invalidate_caches()
        sys.modules.pop("voxplain_test_measure", None)
        return importlib.import_module("voxplain_test_measure").measure

    yield write
    sys.modules.pop("voxplain_test_measure", None)


def test_measurements_come_in_the_order_of_the_items_and_are_made_once(measure, tmp_path):
    items = ["b", "a", "c"]
    wanted = measure("None if p == 'a' else p.upper()")
    for _ in range(2):
        assert of_each(wanted, items, cache=tmp_path / "cache", jobs=1) == ["B", None, "C"]
    assert (tmp_path / "diary").read_text(encoding="utf-8").split() == ["b", "a", "c"]


def test_how_many_share_the_work_does_not_matter(measure, tmp_path):
    wanted = measure("p")
    of_each(wanted, ["a"], cache=tmp_path / "cache", jobs=1)
    assert of_each(wanted, ["a"], cache=tmp_path / "cache", jobs=2) == ["a"]
    assert (tmp_path / "diary").read_text(encoding="utf-8").split() == ["a"]


def test_a_measurement_whose_code_has_changed_is_made_again(measure, tmp_path):
    for word in ("old", "new"):
        found = of_each(measure(repr(word)), ["a"], cache=tmp_path / "cache", jobs=1)
        assert found == [word]


def test_a_measurement_is_given_its_network_and_made_again_with_another(measure, tmp_path):
    wanted = measure("__import__('pathlib').Path(given['network']).read_text()")
    network = tmp_path / "network.onnx"
    moved = tmp_path / "moved.onnx"
    for weights, place in (("one", network), ("two", network), ("two", moved)):
        place.write_text(weights, encoding="utf-8")
        found = of_each(wanted, ["a"], cache=tmp_path / "cache", jobs=1, network=place)
        assert found == [weights]
    assert len((tmp_path / "diary").read_text(encoding="utf-8").split()) == 2, "moving is no change"


def test_what_counts_is_in_a_recording_not_where_it_lies(measure, tmp_path):
    """Its name counts too: noise is drawn by it."""
    wanted = measure("str(p)")

    def made(folder, name, content):
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        (place / name).write_text(content, encoding="utf-8")
        one = str(place / name)
        for item in (one, (one, "two/words"), utterance(one, "ann")):
            of_each(wanted, [item], cache=tmp_path / "cache", jobs=1)
        return len((tmp_path / "diary").read_text(encoding="utf-8").splitlines())

    assert made("here", "a.wav", "sound") == 3
    assert made("there", "a.wav", "sound") == 3
    assert made("here", "a.wav", "other sound") == 6
    assert made("here", "b.wav", "sound") == 9


def test_texts_that_look_like_paths_stay_themselves(measure, tmp_path):
    wanted = measure("p")
    for text in ("he/she", "they/she", "a" * 5000):
        assert of_each(wanted, [text], cache=tmp_path / "cache", jobs=1) == [text]


def utterance(path, speaker):
    return Utterance(Path(path), "made", speaker, "female", "angry", "A")


@pytest.fixture
def heard(tiny_model, tmp_path):
    """Hear with the encoder of a tiny model."""
    return functools.partial(
        hear, encoder=tiny_model.folder / "encoder.onnx", cache=tmp_path / "cache", jobs=1
    )


def test_the_first_stretch_of_speech_is_heard(heard, tiny_model, clips):
    encoder = EmbeddedBackbone((tiny_model.folder / "encoder.onnx").read_bytes(), name="tiny")
    found = heard([utterance(clip, "ann") for clip in clips[:2]])
    for clip, states in zip(clips[:2], found, strict=True):
        _, audio = next(Listener().stretches(read.blocks(clip), source="clip"))
        np.testing.assert_array_equal(states, encoder.embed(audio).frames)
        assert states.dtype == np.float16


@pytest.mark.parametrize("condition", [Loudness(0.0), Noise("white", -40)])
def test_what_a_condition_drowns_is_not_heard(heard, angry, condition):
    (plain,), (drowned,) = (
        heard([utterance(angry, "ann")], condition=c) for c in (None, condition)
    )
    assert len(plain) > 20
    assert drowned is None


def test_a_condition_is_the_same_each_time_and_another_for_each_recording(heard, angry, tmp_path):
    """Of the same recording under two names the noise differs."""
    copies = [tmp_path / "one.opus", tmp_path / "two.opus"]
    for copy in copies:
        shutil.copy(angry, copy)
    spoken = [utterance(copy, "ann") for copy in copies]
    one, two = heard(spoken)
    np.testing.assert_array_equal(one, two)
    noisy = heard(spoken, condition=Noise("white", 20))
    assert noisy[0].shape != noisy[1].shape or not np.array_equal(*noisy)
    again = heard(spoken, condition=Noise("white", 20), cache=tmp_path / "afresh")
    for before, after in zip(noisy, again, strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("folds", "disturbed"), [({"ann": 0, "bob": 0}, True), ({"ann": 0, "bob": 1}, False)]
)
def test_babble_is_made_of_other_speakers_of_the_fold(heard, clips, folds, disturbed):
    """Where there is none, nothing is heard in the background."""
    spoken = [utterance(clips[2], "ann"), utterance(clips[0], "bob")]
    plain, *_ = heard(spoken)
    babble, *_ = heard(spoken, condition=Noise("babble", 5), folds=folds)
    assert (not np.array_equal(plain, babble)) == disturbed


def test_companions_are_six_of_the_same_fold_and_of_other_speakers():
    spoken = [utterance(f"{name}{n}.wav", name) for name in "abcdef" for n in range(5)]
    folds = dict(zip("abcdef", (0, 0, 0, 1, 1, 2), strict=True))
    found = companions(spoken, folds)
    for one, voices in zip(spoken, found, strict=True):
        names = {Path(voice).stem[0] for voice in voices}
        assert names <= {name for name in "abcdef" if folds[name] == folds[one.speaker]}
        assert one.speaker not in names
        # Of the speaker of fold 2 there is no other, of those of fold 1 one with five.
        assert len(set(voices)) == len(voices) == (6, 5, 0)[folds[one.speaker]]
    assert companions(spoken, folds) == found
    assert len(set(found[:5])) > 1  # drawn for each
    assert len(companions(spoken, {})[-1]) == 6  # without folds all are together


@pytest.fixture
def made(tiny_model, clips, tmp_path):
    """Make sounds; babble of the voices of Ann and Bob, and of Cat, whose file is missing."""
    voices = [utterance(clips[0], "ann"), utterance(clips[1], "bob")]
    voices += [utterance(tmp_path / "missing.wav", "cat")]

    def sounds(*, each, folds, cache="cache"):
        return hear_sounds(
            [one for one in voices if one.speaker in folds],
            each=each,
            folds=folds,
            encoder=tiny_model.folder / "encoder.onnx",
            cache=tmp_path / cache,
            jobs=1,
        )

    return sounds


def test_there_are_so_many_sounds_of_every_kind_and_the_folds_take_turns(made):
    found = made(each=3, folds={"ann": 0, "bob": 1})
    expected = [(kind, fold) for kind in SOUNDS[1:] for fold in (0, 1, 0)]
    assert [(kind, fold) for kind, fold, _ in found] == expected
    assert all(50 <= len(states) <= 150 for _, _, states in found)  # two to six seconds
    again = made(each=3, folds={"ann": 0, "bob": 1}, cache="afresh")
    for (*_, one), (*_, other) in zip(found, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_babble_is_of_voices_of_its_fold(made):
    folds = {"ann": 0, "cat": 1}
    assert [fold for _, fold, _ in made(each=1, folds=folds)] == [0, 0, 0]
    with pytest.raises(AudioError, match="no such file"):
        made(each=2, folds=folds)


def test_an_encoder_that_was_written_anew_is_loaded_anew(tiny_model, clips, tmp_path):
    place = tmp_path / "encoder.onnx"
    weights = onnx.load(tiny_model.folder / "encoder.onnx")
    found = []
    for written, sign in ((1, 1), (2, -1)):
        for tensor in weights.graph.initializer:
            values = onnx.numpy_helper.to_array(tensor)
            if tensor.name.endswith(".scale"):
                tensor.CopyFrom(onnx.numpy_helper.from_array(sign * values, tensor.name))
        onnx.save(weights, place)
        os.utime(place, ns=(written, written))
        (states,) = hear(
            [utterance(clips[0], "a")], encoder=place, cache=tmp_path / "cache", jobs=1
        )
        found.append(states)
    assert not np.array_equal(*found)
