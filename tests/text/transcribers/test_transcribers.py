"""Which recogniser is taken, and where its weights are looked for."""

import sys
from pathlib import Path

import pytest

from voxplain import plugins
from voxplain.errors import ConfigError, MissingExtra, UnknownName, WeightsMissing
from voxplain.text.transcribers import choose, faster_whisper, find_weights, models_folder

CARD = faster_whisper.CARD


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("VOXPLAIN_MODELS", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", plugins.names("transcribers"))
def test_every_card_says_what_a_user_must_know(name):
    card = plugins.find("transcribers", name).CARD
    assert all((card.title, card.licence, card.citation, card.languages))
    assert card.extra in ("asr", "train")
    for weights in card.weights.values():
        assert (len(weights.revision), len(weights.sha256)) == (40, 64)
        assert all((weights.megabytes, weights.licence))


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", "XDG_CACHE_HOME", "cache/voxplain/models"),
        ("win32", "LOCALAPPDATA", "cache/voxplain/models"),
    ],
)
def test_models_lie_in_the_cache_of_the_platform(monkeypatch, platform, variable, expected):
    monkeypatch.delenv("VOXPLAIN_MODELS")
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, "cache")
    assert models_folder() == Path(expected)


def test_the_best_model_that_was_pulled_is_taken(folder):
    for name in ("whisper-base", "whisper-small"):
        (folder / name).mkdir()
    assert find_weights(None, CARD) == folder / "whisper-small"
    assert find_weights("whisper-base", CARD) == folder / "whisper-base"


def test_a_folder_is_its_own_model(tmp_path):
    assert find_weights(str(tmp_path), CARD) == tmp_path


def test_weights_that_are_missing(folder):
    with pytest.raises(WeightsMissing) as raised:
        find_weights("whisper-small", CARD)
    assert str(folder) in str(raised.value)
    assert str(raised.value).endswith("get one with: voxplain models pull whisper-small")
    with pytest.raises(WeightsMissing, match=r"no model for Whisper by faster-whisper, .*pull wh"):
        find_weights(None, CARD)


def test_auto_without_weights_says_how_to_get_them():
    pytest.importorskip("faster_whisper")
    transcribe, reason = choose("auto")
    assert transcribe is None
    assert reason.startswith("the words were left out: no model for Whisper by faster-whisper")
    assert "voxplain models pull whisper-small" in reason


def test_auto_takes_a_good_recogniser_when_it_is_there(folder, monkeypatch):
    (folder / "whisper-small").mkdir()
    loaded = []
    monkeypatch.setattr(faster_whisper, "load", lambda **given: loaded.append(given) or len)
    assert choose("auto", language="de") == (len, "")
    assert loaded == [{"language": "de"}]


def test_auto_without_the_package_says_what_to_install(folder, monkeypatch):
    (folder / "whisper-small").mkdir()
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    transcribe, reason = choose("auto")
    assert transcribe is None
    assert reason.endswith("pip install 'voxplain[asr]'")


def test_auto_takes_no_model():
    with pytest.raises(ConfigError, match=r"'large' needs the name of its recogniser, not auto; t"):
        choose("auto", model="large")


def test_a_recogniser_that_does_not_exist():
    with pytest.raises(UnknownName, match=r"unknown transcribers plug-in 'pocketsfinx'.*Did you"):
        choose("pocketsfinx")


def test_a_recogniser_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(MissingExtra, match=r"this needs pocketsphinx.*'voxplain\[asr\]'"):
        choose("pocketsphinx")
