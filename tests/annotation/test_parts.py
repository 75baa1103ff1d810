"""The folder beside a table: one command at a time, and nothing has a name that may be lost."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from voxplain.annotation.entries import Entry
from voxplain.annotation.parts import Parts
from voxplain.errors import ConfigError

LISTED = [Entry("a.wav", "/a.wav"), Entry("b.wav", "/b.wav")]
HOLDER = (
    "import sys, pathlib\n"
    "from voxplain.annotation.parts import Parts\n"
    "parts = Parts(pathlib.Path(sys.argv[1]))\n"
    "print('held', flush=True)\n"
    "sys.stdin.read()\n"
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "t.csv.parts"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps nobody out")
def test_one_command_at_a_time_until_it_is_killed(folder):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        message = r"another command works in .*t\.csv\.parts; wait until it ends, or give another"
        with pytest.raises(ConfigError, match=message):
            Parts(folder)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        Parts(folder).remove()
    assert not folder.exists()


def test_who_waits_for_a_folder_that_goes_begins_one_of_their_own(folder, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    lock, asked = fcntl.flock, []

    def late(descriptor, how):
        if not asked:
            (folder / "lock").unlink()  # by who held it until now
            folder.rmdir()
        asked.append(descriptor)
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    mine = Parts(folder)
    assert len(asked) == 2
    with pytest.raises(ConfigError, match="another command works in"):
        Parts(folder)
    mine.remove()


def test_a_disk_that_knows_no_locks_will_do(folder, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    Parts(folder).remove()


def test_all_is_on_the_disk_before_it_has_a_name(folder, tmp_path, monkeypatch):
    settled, named = set(), []
    sync, replace = os.fsync, type(tmp_path).replace

    def noted_sync(descriptor):
        settled.add((os.fstat(descriptor).st_ino, os.fstat(descriptor).st_size))
        sync(descriptor)

    def noted_replace(path, target):
        assert (path.stat().st_ino, path.stat().st_size) in settled
        named.append(target.name)
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(type(tmp_path), "replace", noted_replace)
    parts = Parts(folder)
    parts.begin({"batch": 1}, LISTED)
    for number, batch in parts.lacking():
        parts.keep(number, [[{"file": one.file}] for one in batch])
    table = folder / "table.csv"
    table.write_text("file\na.wav\nb.wav\n")
    parts.deliver(table, tmp_path / "t.csv")
    batches = ["00000000.jsonl", "00000001.jsonl"]
    assert named == ["recordings.jsonl", "manifest.json", *batches, "joined", "t.csv"]
