"""A folder is a registry: a file added is a plug-in, nothing is imported to list it."""

import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from voxplain import plugins
from voxplain.errors import MissingExtra, UnknownName


def _forget():
    plugins.names.cache_clear()
    plugins._offered.cache_clear()


@pytest.fixture
def pets(tmp_path, monkeypatch):
    """A kind of plug-in with two files, both of which say when they are imported."""
    package = tmp_path / "voxplain_test_pets"
    (package / "inner").mkdir(parents=True)
    for name in ("__init__", "cat", "dog", "_helper"):
        (package / f"{name}.py").write_text("", encoding="utf-8")
    (package / "notes.txt").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(plugins.FOLDERS, "pets", package.name)
    _forget()
    yield package.name
    _forget()
    for module in [name for name in sys.modules if name.startswith(package.name)]:
        del sys.modules[module]


@pytest.fixture
def outsider(pets, tmp_path, monkeypatch):
    """An installed package that offers an eel."""
    (tmp_path / pets / "inner/sea.py").touch()
    eel = EntryPoint("eel", f"{pets}.inner.sea", "voxplain.pets")
    monkeypatch.setattr(plugins, "entry_points", lambda **asked: EntryPoints([eel]).select(**asked))
    return eel.module


def test_files_are_listed_without_being_imported(pets):
    assert plugins.names("pets") == ("cat", "dog")
    assert f"{pets}.cat" not in sys.modules


def test_only_the_one_that_is_asked_for_is_imported(pets):
    assert plugins.find("pets", "cat").__name__ == f"{pets}.cat"
    assert f"{pets}.dog" not in sys.modules


def test_an_unknown_plug_in_is_named_with_a_hint(pets):
    expected = r"^unknown pets plug-in 'cta'; available: cat, dog\. Did you mean 'cat'\?$"
    with pytest.raises(UnknownName, match=expected):
        plugins.find("pets", "cta")


@pytest.mark.parametrize("name", ["_helper", "__init__", "inner", "notes"])
def test_helpers_are_no_plug_ins(pets, name):
    with pytest.raises(UnknownName, match="unknown pets plug-in"):
        plugins.find("pets", name)


@pytest.mark.parametrize("ask", [plugins.names, lambda kind: plugins.find(kind, "cat")])
def test_an_unknown_kind_is_refused(ask):
    with pytest.raises(UnknownName, match=r"unknown kind of plug-in 'corpus'; .*mean 'corpora'\?$"):
        ask("corpus")


@pytest.fixture
def described(pets, tmp_path):
    """Beside the files of the kind, one that is only described."""
    (tmp_path / pets / "described").mkdir()
    for name in ("newt.yaml", "_draft.yaml", "notes.txt"):
        (tmp_path / pets / "described" / name).touch()
    made = "from types import ModuleType\ndef plugin(path):\n    return ModuleType(path.stem)\n"
    (tmp_path / pets / "_described.py").write_text(made, encoding="utf-8")
    return pets


def test_what_is_described_is_listed_and_made(described):
    assert plugins.names("pets") == ("cat", "dog", "newt")
    assert plugins.find("pets", "newt").__name__ == "newt"
    assert plugins.find("pets", "cat").__name__ == f"{described}.cat"


@pytest.mark.usefixtures("outsider")
def test_other_packages_add_theirs():
    assert plugins.names("pets") == ("cat", "dog", "eel")


def test_theirs_are_found(outsider):
    assert plugins.find("pets", "eel").__name__ == outsider


@pytest.mark.parametrize("kind", plugins.FOLDERS)
def test_every_kind_has_a_plug_in_of_its_own(kind):
    assert plugins.names(kind)


def test_require_gives_the_package():
    assert plugins.require("json", extra="train").dumps([]) == "[]"


def test_require_names_the_extra():
    with pytest.raises(
        MissingExtra, match=r"needs voxplain_nowhere, .*'voxplain\[asr\]'$"
    ) as caught:
        plugins.require("voxplain_nowhere", extra="asr")
    assert isinstance(caught.value.__cause__, ImportError)


def test_a_package_that_is_there_but_broken_is_not_called_missing(pets, tmp_path):
    (tmp_path / pets / "broken.py").write_text("import voxplain_nowhere\n", encoding="utf-8")
    with pytest.raises(ImportError, match="voxplain_nowhere") as caught:
        plugins.require(f"{pets}.broken", extra="asr")
    assert not isinstance(caught.value, MissingExtra)
