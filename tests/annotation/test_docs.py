"""The examples of docs/annotate.md run, and its columns are those of the table."""

import re
from pathlib import Path

import pytest

from voxplain.annotation import Options, annotate
from voxplain.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/annotate.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Where the table of the page lies."""
    pytest.importorskip("pyarrow")
    folder = tmp_path_factory.mktemp("docs")
    (folder / "tests").mkdir()
    (folder / "tests/data").symlink_to(ROOT / "tests/data")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["annotate", "tests/data", "-o", "emotions.parquet"]) == 0
        labels = re.search(r"```\n(file,label\n.*?)```", PAGE, re.DOTALL)[1]
        (folder / "labels.csv").write_text(labels)
        assert main(["annotate", "labels.csv", "-o", "judged.parquet", "--keep", "label"]) == 0
    return folder


def test_the_queries_give_what_the_page_shows(place, monkeypatch):
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.chdir(place)
    again, *others = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    duckdb.sql(again)
    assert Path("again.csv").read_text() == "file\n"
    agreement, angry, folders, why = (duckdb.sql(query).fetchall() for query in others)
    assert len(agreement) == 4
    for row in [*agreement, *angry]:
        assert f"| {' | '.join(map(str, row))} |" in PAGE
    assert [row[:2] for row in folders] == [("tests/data", 5)]
    assert why == []


def test_the_python_runs(place, monkeypatch, capsys):
    pytest.importorskip("pandas")
    monkeypatch.chdir(place)
    first, second = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    found = {}
    exec(first, found)
    assert found["valence"].round(2).tolist() == [0.93, 0.32, 0.11, 0.44, 0.21]
    exec(second.replace(", jobs=2", ""), found)
    assert "tests/data/cremad_1089_tie_ang.opus angry 768" in capsys.readouterr().out


def test_every_column_is_told(clips):
    (row,) = annotate(clips[0], options=Options(embeddings=True))
    for name in row:
        known = re.sub(r"^(p|perceived)_.*", r"\1_<label>", re.sub(r"_(low|high)$", "", name))
        assert f"`{known}`" in PAGE, name
