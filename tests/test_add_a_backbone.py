"""docs/how-to/add_a_backbone.md: its file is a backbone, and its command prints what is shown."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import voxplain

PAGE = Path(__file__).parents[1] / "docs/how-to/add_a_backbone.md"


def block(language):
    text = PAGE.read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return found


def test_the_command_prints_what_the_page_shows(tmp_path):
    """In a copy of the package that has the file of the page."""
    package = tmp_path / "voxplain"
    unneeded = shutil.ignore_patterns("assets")  # what was compiled need not be compiled again
    shutil.copytree(Path(voxplain.__file__).parent, package, ignore=unneeded)
    (package / "backbones/unispeech_sat.py").write_text(block("python"), encoding="utf-8")
    command, _, shown = block("console").removeprefix("$ ").partition('"\n')
    _, *arguments = shlex.split(f'{command}"')
    ran = subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == shown
