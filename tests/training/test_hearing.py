"""Which utterances are heard: those of the corpora named, of the labels wanted; and only once."""

import importlib
import sys
from pathlib import Path

import pytest

from voxplain.errors import ConfigError, CorpusNotFound, UnknownName
from voxplain.training.hearing import of_each, read_corpora

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
    """Write the code of a measurement (of the path ``p``); each call leaves a line in a diary."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(expression):
        diary = f"open({str(tmp_path / 'diary')!r}, 'a')"
        lines = ["def measure(p):", f"    with {diary} as diary:", "        print(p, file=diary)"]
        code = "\n".join([*lines, f"    return {expression}"])
        (tmp_path / "voxplain_test_measure.py").write_text(code, encoding="utf-8")
        importlib.invalidate_caches()
        sys.modules.pop("voxplain_test_measure", None)
        return importlib.import_module("voxplain_test_measure").measure

    yield write
    sys.modules.pop("voxplain_test_measure", None)


def test_measurements_come_in_the_order_of_the_recordings_and_are_made_once(measure, tmp_path):
    paths = [Path("b"), Path("a"), Path("c")]
    wanted = measure("None if p == 'a' else p.upper()")
    for _ in range(2):
        assert of_each(wanted, paths, cache=tmp_path / "cache", jobs=1) == ["B", None, "C"]
    assert (tmp_path / "diary").read_text(encoding="utf-8").split() == ["b", "a", "c"]


def test_how_many_share_the_work_does_not_matter(measure, tmp_path):
    wanted = measure("p")
    of_each(wanted, [Path("a")], cache=tmp_path / "cache", jobs=1)
    assert of_each(wanted, [Path("a")], cache=tmp_path / "cache", jobs=2) == ["a"]
    assert (tmp_path / "diary").read_text(encoding="utf-8").split() == ["a"]


def test_a_measurement_whose_code_has_changed_is_made_again(measure, tmp_path):
    for word in ("old", "new"):
        found = of_each(measure(repr(word)), [Path("a")], cache=tmp_path / "cache", jobs=1)
        assert found == [word]
