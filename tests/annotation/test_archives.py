"""Archives: read without unpacking, and nothing leaves them."""

import io
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

from voxplain.annotation import archives
from voxplain.annotation.archives import members, opened
from voxplain.annotation.listing import entries
from voxplain.annotation.rows import Options, annotated
from voxplain.errors import AudioError, OutputError

SOUNDS = {"x/one.wav": b"first" * 300_000, "two.MP3": b"second", "y/three.flac": b""}
OTHERS = {"notes.txt": b"", ".git/a.wav": b"", "__MACOSX/x/one.wav": b"", "x/._one.wav": b""}


def packed(path, contents):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(path, f"w:{path.suffix[1:].replace('tar', '')}") as archive:
            for name, content in contents.items():
                header = tarfile.TarInfo(name)
                header.size = len(content)
                archive.addfile(header, io.BytesIO(content))
    return path


@pytest.fixture(params=["a.zip", "a.tar", "a.tar.gz", "a.tar.xz"])
def archive(request, tmp_path):
    return packed(tmp_path / request.param, {**OTHERS, **SOUNDS})


def test_members_are_listed_and_read(archive):
    found = list(entries([archive]))
    assert [one.file for one in found] == [f"{archive}/{name}" for name in SOUNDS]
    for entry in reversed(found):
        with opened(entry) as path:
            assert path.read_bytes() == SOUNDS[entry.member]
            assert path.suffix == Path(entry.member).suffix
        assert not path.parent.exists()


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("name", ["../up.wav", "x/../../up.wav", "/root.wav", "C:\\x.wav"])
def test_no_name_leads_out(tmp_path, kind, name):
    archive = packed(tmp_path / f"a.{kind}", {name: b"", "good.wav": b""})
    bad, good = members(archive)
    assert good.problem is None
    assert bad.problem == (
        f"{archive}/{bad.member} has a name that leads out of the archive; "
        "pack it again with relative names"
    )
    ((row,),) = annotated([bad], Options())
    assert row == {"file": bad.file, "error": bad.problem}
    assert [path.name for path in tmp_path.rglob("*")] == [archive.name]


def test_links_are_no_recordings(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        link = tarfile.TarInfo("a.wav")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    (entry,) = members(tmp_path / "a.tar")
    assert entry.problem.endswith(
        "a.wav is a link, not a recording; pack the file that it stands for"
    )


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST_BYTES", 1000)
    (entry,) = members(packed(tmp_path / "a.zip", {"a.wav": bytes(1001)}))
    assert (
        "a.wav claims to hold 1,001 bytes, more than the 1,000 that are unpacked" in entry.problem
    )


def test_a_bomb_that_lies_about_its_size_is_cut_off(tmp_path):
    archive = packed(tmp_path / "a.zip", {"a.wav": bytes(10_000_000)})
    told = archive.read_bytes().replace((10_000_000).to_bytes(4, "little"), b"\x10\0\0\0")
    archive.write_bytes(told)
    (entry,) = members(archive)
    assert entry.size == 16
    with pytest.raises(AudioError, match=r"a.wav can't be unpacked \(Bad CRC-32"), opened(entry):
        pass


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz"])
def test_what_is_no_archive_is_a_row(tmp_path, name):
    (tmp_path / name).write_bytes(b"no archive at all")
    (entry,) = members(tmp_path / name)
    assert entry.file == str(tmp_path / name)
    assert f"{name} can't be read as an archive (" in entry.problem
    (gone,) = members(tmp_path / f"gone_{name}")
    assert "can't be read as an archive (No such file or directory); copy it again" in gone.problem


def test_an_archive_without_sound(tmp_path):
    archive = packed(tmp_path / "a.zip", OTHERS)
    with pytest.raises(AudioError, match=r"no audio or video in the archive .*a\.zip; give one"):
        list(members(archive))


def test_an_archive_that_goes_or_changes(archive):
    first, *_ = members(archive)
    packed(archive, {"other.wav": b"x", "another.wav": b"x"})
    if archive.suffix == ".zip":
        with pytest.raises(AudioError, match="the archive has changed"), opened(first):
            pass
    archive.unlink()
    with pytest.raises(AudioError, match="No such file or directory"), opened(first):
        pass


def test_a_tar_that_was_cut_short(tmp_path):
    archive = packed(tmp_path / "a.tar", {"a.wav": b"x" * 5000})
    (entry,) = members(archive)
    archive.write_bytes(archive.read_bytes()[:2000])
    with (
        pytest.raises(AudioError, match="its archive must be there, whole and not encr"),
        opened(entry),
    ):
        pass


def test_no_room_to_unpack_is_not_the_recordings_fault(tmp_path, monkeypatch):
    def full(self, *_):
        raise OSError(28, "No space left on device")

    entry = next(members(packed(tmp_path / "a.zip", SOUNDS)))
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OutputError, match=r"No space left on device; free some room, or .* TMPDIR"):
        annotated([entry], Options())


def test_rows_of_members_are_those_of_the_files(clips, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {f"in/{clip.name}": clip.read_bytes() for clip in clips[:2]}
    archive = packed(Path("a.tar.gz"), {**names, "in/bad.wav": b"no audio"})
    (one,), (two,), (bad,) = annotated(list(entries([archive])), Options())
    for row, clip in zip((one, two), clips, strict=False):
        shutil.copy(clip, clip.name)
        (((alone,),)) = annotated(list(entries([clip.name])), Options())
        assert row == {**alone, "file": f"a.tar.gz/in/{clip.name}"}
    assert bad["error"].startswith("a.tar.gz/in/bad.wav can't be decoded")
    assert tempfile.gettempdir() not in bad["error"]
