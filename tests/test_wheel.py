"""What is shipped is enough: the wheel, unpacked elsewhere, does the main job."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_analyses_the_example(tmp_path):
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, clone)
    shutil.copytree(ROOT / "src", clone / "src", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", tmp_path, clone]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    unpacked = tmp_path / "unpacked"
    zipfile.ZipFile(wheel).extractall(unpacked)
    assert wheel.stat().st_size < 24e6  # models of words take at most 8 MB, the listening one 7

    example = shutil.copy(ROOT / "examples/cremad_1089_tie_ang.opus", tmp_path / "memo.opus")
    done = subprocess.run(
        [sys.executable, "-m", "voxplain", "analyze", example, "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["emotion"]["verdict"]["labels"] == ["angry"]
