"""docs/how-to/add_a_metric.md: its file is a metric, and its command prints what stands there."""

import importlib
import re
import shutil
from pathlib import Path

import pytest

from voxplain import plugins
from voxplain.cli import main
from voxplain.training import metrics

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "how-to" / "add_a_metric.md").read_text(encoding="utf-8")


@pytest.fixture
def kappa(tmp_path, monkeypatch):
    """The folder of metrics with the page's file in it."""
    package = tmp_path / "voxplain_test_metrics"
    shutil.copytree(Path(metrics.__file__).parent, package)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (package / "kappa.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(plugins.FOLDERS, "metrics", package.name)
    plugins.names.cache_clear()
    yield importlib.import_module(f"{package.name}.kappa")
    plugins.names.cache_clear()


def test_the_command_prints_what_the_page_shows(kappa, monkeypatch, capsys):
    (shown,) = re.findall(r"```\n\$ cd (.*?)\n\$ voxplain (.*?)\n(.*?)```", PAGE, re.DOTALL)
    folder, command, output = shown
    monkeypatch.chdir(ROOT / folder)
    assert main(command.split()) == 0
    assert capsys.readouterr().out == output


def test_kappa_on_paper(kappa):
    # 3 of 4 agree; by chance 1/2 * 3/4 + 1/2 * 1/4.
    assert kappa.measure(list("aabb"), list("aaab")) == pytest.approx((3 / 4 - 1 / 2) / (1 / 2))


def test_the_page_tells_what_metrics_take():
    told = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert told == {plugins.find("metrics", name).CARD.takes for name in plugins.names("metrics")}
