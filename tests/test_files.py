"""Files are whole or not there."""

import pytest

from voxplain import files


def test_what_is_written_takes_the_place_of_what_was(tmp_path):
    path = tmp_path / "new/folder/a.txt"
    for content in (b"one", b"two"):
        files.write(path, content)
        assert path.read_bytes() == content
    assert [one.name for one in path.parent.iterdir()] == ["a.txt"]


def test_a_write_that_is_cut_short_leaves_what_was(tmp_path, monkeypatch):
    def killed(handle):
        raise KeyboardInterrupt

    files.write(tmp_path / "a.txt", b"one")
    monkeypatch.setattr(files.os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        files.write(tmp_path / "a.txt", b"two")
    assert (tmp_path / "a.txt").read_bytes() == b"one"


def test_a_folder_that_went_is_not_made_again_unless_wanted(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.write(tmp_path / "gone/a.txt", b"one", make_folder=False)
    assert list(tmp_path.iterdir()) == []
