"""docs/how-to/add_a_backbone.md: its file is a backbone, and its command prints what is shown."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from voxplain import backbones, plugins

PAGE = Path(__file__).parents[1] / "docs/how-to/add_a_backbone.md"


def block(language):
    text = PAGE.read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return found


@pytest.fixture
def with_the_file(tmp_path, monkeypatch):
    """The folder of backbones with the page's file in it."""
    package = tmp_path / "voxplain_test_backbones"
    shutil.copytree(Path(backbones.__file__).parent, package)
    (package / "unispeech_sat.py").write_text(block("python"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(plugins.FOLDERS, "backbones", package.name)
    plugins.names.cache_clear()
    yield
    plugins.names.cache_clear()


@pytest.mark.usefixtures("with_the_file")
def test_the_command_prints_what_the_page_shows(tmp_path, monkeypatch, capsys):
    command, _, shown = block("console").removeprefix("$ ").partition('"\n')
    _, _, code = shlex.split(f'{command}"')
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert capsys.readouterr().out == shown
