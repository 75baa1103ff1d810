"""The README shows what happens."""

import re
from pathlib import Path

import pytest

import voxplain
from voxplain.reports.text import render

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_output_in_the_readme_is_the_output(monkeypatch):
    monkeypatch.chdir(ROOT)
    command, _, shown = README.split("```")[1].strip().partition("\n")
    path = command.split()[-1]
    assert command == f"$ voxplain analyze {path}"
    assert shown + "\n" == render(voxplain.analyze(path))


def test_the_numbers_in_the_readme_are_the_numbers(monkeypatch):
    monkeypatch.chdir(ROOT)
    analysis = voxplain.analyze("examples/cremad_1089_tie_ang.opus")
    shown = re.findall(r"^(analysis\.\S+)  # ([\d.]+)", README, re.MULTILINE)
    assert len(shown) == 3
    for expression, value in shown:
        assert eval(expression, {"analysis": analysis}) == pytest.approx(float(value), rel=0.01)


def test_every_link_in_the_pages_leads_somewhere():
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
