"""The page on adding a corpus shows files that are there and output that comes out."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORPORA = ROOT / "src/voxplain/training/corpora"
PAGE = (ROOT / "docs/how-to/add_a_corpus.md").read_text(encoding="utf-8")


def block(language):
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return found


@pytest.mark.parametrize(
    ("language", "name"), [("yaml", "described/savee.yaml"), ("python", "tess.py")]
)
def test_the_files_of_the_page_are_the_files(language, name):
    assert f"`{name}`" in PAGE
    assert block(language) == (CORPORA / name).read_text(encoding="utf-8")


def test_the_output_of_the_page_is_the_output(tmp_path):
    named = re.findall(r"`(AudioData/\S+)`", PAGE)
    assert len(named) == 4
    for name in named:
        path = tmp_path / "SAVEE" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    command, _, shown = block("console").removeprefix("$ ").partition('"\n')
    _, *arguments = shlex.split(f'{command}"')
    ran = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout == shown
