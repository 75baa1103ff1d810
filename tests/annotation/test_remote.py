"""Places beyond this machine: the same lists, bytes and rows as here, and errors that say why."""

import io
import re
import shutil
import socket
import sys
import tarfile
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

import voxplain
from voxplain.annotation import Options, annotate, archives
from voxplain.annotation import remote as remote_places
from voxplain.annotation.archives import opened
from voxplain.annotation.entries import Entry
from voxplain.annotation.listing import entries
from voxplain.annotation.rows import annotated
from voxplain.errors import AudioError, ConfigError, MissingExtra, OutputError, UnknownName
from voxplain.types import Segment

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")

TREE = ("b/a.wav", "b/.hidden.wav", ".h/a.wav", "a.b/c.flac", "b.wav", "B/x.MP3", "n.txt")
SOUNDS = {"x/one.wav": b"first" * 300_000, "two.MP3": b"second"}


@pytest.fixture(params=["memory", "file", "http"])
def remote(request, tmp_path):
    """A folder here, and the URL that it has elsewhere once it is filled."""

    def reached(folder):
        if request.param == "file":
            return folder.as_uri()
        if request.param == "http":
            return request.getfixturevalue("web")(folder)
        store = fsspec.filesystem("memory")
        for path in filter(Path.is_file, folder.rglob("*")):
            store.pipe_file(f"/corpus/{path.relative_to(folder).as_posix()}", path.read_bytes())
        request.addfinalizer(store.store.clear)
        return "memory://corpus"

    return reached


@pytest.fixture
def folder(tmp_path):
    """Names alone: nothing is opened to be listed."""
    for name in TREE:
        place = tmp_path / "corpus" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    return tmp_path / "corpus"


def files(*inputs, **options):
    return [entry.file for entry in entries(inputs, **options)]


def test_a_folder_and_patterns_hold_what_they_hold_here(folder, remote):
    url = remote(folder)
    here = [Path(name).relative_to(folder).as_posix() for name in files(folder)]
    assert here == ["B/x.MP3", "a.b/c.flac", "b/a.wav", "b.wav"]
    assert files(url) == files(url + "/") == [f"{url}/{name}" for name in here]
    for pattern in ("**/*.wav", "[a-b]*", "b/*", "*/*.flac"):
        matching = [Path(name).relative_to(folder) for name in files(folder / pattern)]
        assert files(f"{url}/{pattern}") == [f"{url}/{name.as_posix()}" for name in matching]
    assert files(f"{url}/b.wav", f"{url}/gone.wav") == [f"{url}/b.wav", f"{url}/gone.wav"]


def test_a_store_that_remembers_its_lists_is_asked_anew(monkeypatch):
    """As s3fs and gcsfs do for as long as the process lives."""
    memory = type(fsspec.filesystem("memory"))
    store, known = memory(), {}
    monkeypatch.setattr(memory, "store", {})
    monkeypatch.setattr(memory, "isdir", lambda *_: True)
    monkeypatch.setattr(memory, "find", lambda self, path: known.setdefault(path, list(self.store)))
    monkeypatch.setattr(memory, "invalidate_cache", lambda self: known.clear())
    for names in (["a.wav"], ["a.wav", "b.wav"]):
        store.pipe_file(f"/corpus/{names[-1]}", b"")
        assert files("memory://corpus") == [f"memory://corpus/{name}" for name in names]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_names_what_lies_beside_it_or_anywhere(folder, remote, kind):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(
        {
            "file": ["../b.wav", "a.wav", "s/t.wav", "memory://else/x.wav"],
            "start": [0.5, None, None, None],
            "end": [1.0, None, None, None],
            "label": ["sad", "happy", None, "angry"],
        }
    )
    getattr(table, f"to_{kind}")(folder / "b" / f"index.{kind}", index=False)
    url = remote(folder)
    one, two, three, four = entries([f"{url}/b/index.{kind}"], keep=["label"])
    assert one == Entry(
        f"{url}/b.wav",
        f"{url}/b.wav",
        intervals=(Segment(0.5, 1.0),),
        kept=({"label": "sad"},),
    )
    assert two == Entry(f"{url}/b/a.wav", f"{url}/b/a.wav", kept=({"label": "happy"},))
    assert three.path == f"{url}/b/s/t.wav"
    assert three.kept == ({"label": None},)
    assert four.file == four.path == "memory://else/x.wav"
    *_, known = entries([folder / "b" / f"index.{kind}"])
    assert known.path == "memory://else/x.wav"
    with pytest.raises(UnknownName, match=rf"column in {url}/b/index.{kind} 'lable'; .*'label'"):
        list(entries([f"{url}/b/index.{kind}"], keep=["lable"]))


def test_a_database_of_audformat(folder, remote):
    audformat = pytest.importorskip("audformat")
    database = audformat.Database("spoken")
    database["turns"] = audformat.Table(audformat.segmented_index(["b/a.wav"], ["1s"], ["2.5s"]))
    database["turns"]["emotion"] = audformat.Column()
    database["turns"]["emotion"].set(["sad"])
    second = audformat.segmented_index(["b/a.wav"] * 2, ["1s", "3s"], ["2.5s", "4s"])
    database["votes"] = audformat.Table(second)
    for name, cells in {"emotion": ["glad", "calm"], "rater": ["ann", "bob"]}.items():
        database["votes"][name] = audformat.Column()
        database["votes"][name].set(cells)
    database.save(folder, storage_format="csv")
    url = remote(folder)
    (entry,) = entries([url], keep=["emotion", "rater"])
    assert entry.path == f"{url}/b/a.wav"
    assert entry.intervals == (Segment(1.0, 2.5), Segment(3.0, 4.0))
    assert entry.kept == (
        {"emotion": "sad", "rater": "ann"},
        {"emotion": "calm", "rater": "bob"},
    )
    with pytest.raises(UnknownName, match=rf"column in {url} 'label'; available: emotion, rater"):
        list(entries([url], keep=["label"]))


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_members_of_an_archive(tmp_path, remote, name):
    if name == "a.zip":
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member, content in SOUNDS.items():
                archive.writestr(member, content)
    else:
        with tarfile.open(tmp_path / name, f"w:{name[6:]}") as archive:
            for member, content in SOUNDS.items():
                header = tarfile.TarInfo(member)
                header.size = len(content)
                archive.addfile(header, io.BytesIO(content))
    url = f"{remote(tmp_path)}/{name}"
    found = list(entries([url]))
    assert [one.file for one in found] == [f"{url}/{member}" for member in SOUNDS]
    for entry in reversed(found):
        with opened(entry) as path:
            assert path.read_bytes() == SOUNDS[entry.member]


def test_an_archive_behind_ever_new_addresses_is_opened_once(tmp_path, web):
    """As servers of files do that send requests on to where they are signed."""

    class Elsewhere(web.handler):
        opened = 0

        def send_head(self):
            if "signed" in self.path:
                return super().send_head()
            Elsewhere.opened += 1
            self.send_response(302)
            self.send_header("Location", f"{self.path}?signed={Elsewhere.opened}")
            return self.end_headers()

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.wav", b"first")
    (entry,) = entries([f"{web(tmp_path, Elsewhere)}/a.zip"])
    with opened(entry):
        asked = Elsewhere.opened
    with opened(entry) as path:
        assert path.read_bytes() == b"first"
        assert Elsewhere.opened == asked + 1  # whether it has changed


def test_an_archive_that_is_replaced_is_read_anew(tmp_path, web):
    url = f"{web(tmp_path)}/a.zip"
    for content in (b"old", b"a newer one"):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("a.wav", content)
        (entry,) = entries([url])
        with opened(entry) as path:
            assert path.read_bytes() == content
    (tmp_path / "a.zip").unlink()
    with pytest.raises(AudioError, match=r"a\.zip can't be looked up \(404"), opened(entry):
        pass


def test_rows_are_those_of_the_files_here(clips, tmp_path, remote):
    for clip in clips[:2]:
        shutil.copy(clip, tmp_path)
    (tmp_path / "no.wav").write_bytes(b"no audio")
    url = remote(tmp_path)
    here, there = list(annotate(tmp_path)), list(annotate(url))
    assert len(here) == 3
    for row, other in zip(here, there, strict=True):
        name = Path(row["file"]).name
        assert other["file"] == f"{url}/{name}"
        assert str(other["error"]).replace(url, str(tmp_path)) == str(row["error"])
        assert {**other, "file": "", "error": ""} == {**row, "file": "", "error": ""}


class _Plain(SimpleHTTPRequestHandler):
    """Sends files in one go only, and cuts some short."""

    def log_message(self, *_):
        pass

    def send_head(self):
        if "locked" in self.path:
            return self.send_error(403)
        if "short" in self.path:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            return io.BytesIO(b"x" * 10)
        return super().send_head()


def test_a_server_that_sends_no_parts(clips, tmp_path, web):
    shutil.copy(clips[0], tmp_path / "a.opus")
    url = web(tmp_path, _Plain)
    for name in ("a.opus", "a.opus?signed=yes"):
        with opened(Entry("a", f"{url}/{name}")) as path:
            assert path.read_bytes() == clips[0].read_bytes()
            assert path.suffix == ".opus"
    (tmp_path / "long.wav").write_bytes(bytes(range(256)) * 2**15)  # 8 MiB, more than a part
    with opened(Entry("a", f"{url}/long.wav")) as path:
        assert path.read_bytes() == (tmp_path / "long.wav").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(clips[0], "a.opus")
    (entry,) = entries([f"{url}/a.zip"])
    assert entry.problem.startswith(f"{url}/a.zip can't be read as an archive (")
    assert entry.problem.endswith("; copy it again, or here: its server may give no parts of files")


@pytest.mark.parametrize(
    ("name", "why"),
    [("gone.wav", "404 "), ("locked.wav", "403 Forbidden"), ("short.wav", "Not enough data to")],
)
def test_what_cannot_be_fetched_is_a_row(tmp_path, web, name, why):
    url = f"{web(tmp_path, _Plain)}/{name}"
    ((row,),) = annotated([Entry(url, url, kept=({"label": "sad"},))], Options(keep=("label",)))
    assert (row["file"], row["label"]) == (url, "sad")
    assert re.fullmatch(
        rf"{url} can't be fetched \({why}.*\); check the URL, and your access to it", row["error"]
    )


def test_nobody_answers():
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a.wav"
        ((row,),) = annotated([Entry(url, url)], Options())
    assert f"{url} can't be fetched (Connect call failed" in row["error"]


def test_a_server_that_falls_silent(tmp_path, web, monkeypatch):
    over = threading.Event()

    class Silent(_Plain):
        def send_head(self):
            over.wait()

    monkeypatch.setattr(remote_places, "_PATIENCE", 0.01)
    url = f"{web(tmp_path, Silent)}/a.wav"
    ((row,),) = annotated([Entry(url, url)], Options())
    over.set()
    assert "a.wav can't be fetched (" in row["error"]


@pytest.mark.parametrize("name", ["get.php", "a." + "x" * 300, "a.w%00v", "a.w\0v"])
def test_a_url_with_an_odd_end(clips, tmp_path, web, name):
    class Same(_Plain):
        def translate_path(self, path):
            return str(clips[0])

    url = f"{web(tmp_path, Same)}/{name}"
    ((row,),) = annotated([Entry(url, url)], Options())
    assert row["verdict"] == "happy"


def test_too_much_is_not_fetched(tmp_path, web, monkeypatch):
    (tmp_path / "a.wav").write_bytes(bytes(1001))
    url = f"{web(tmp_path)}/a.wav"
    monkeypatch.setattr(archives, "MOST_BYTES", 1001)
    with opened(Entry(url, url)) as path:
        assert path.stat().st_size == 1001
    monkeypatch.setattr(archives, "MOST_BYTES", 1000)
    message = "holds more than the 1,000 bytes that are fetched; copy it here yourself"
    with pytest.raises(AudioError, match=message), opened(Entry(url, url)):
        pass


def test_no_room_for_what_is_fetched_is_not_the_recordings_fault(tmp_path, web, monkeypatch):
    def full(self, *_):
        raise OSError(28, "No space left on device")

    (tmp_path / "a.wav").touch()
    url = f"{web(tmp_path)}/a.wav"
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OutputError, match="No space left on device; free some room"):
        annotated([Entry(url, url)], Options())


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("{web}/bare", AudioError, "no audio or video below {web}/bare; give a folder with files"),
        ("{web}/x*.wav", ConfigError, "nothing matches {web}/x*.wav; check the pattern"),
        ("{web}/locked", AudioError, "{web}/locked can't be looked up (403 Forbidden); check it,"),
        ("{web}/gone.csv", ConfigError, "{web}/gone.csv can't be read as a table: 404 "),
        ("{web}/gone.parquet", ConfigError, "{web}/gone.parquet can't be read as a table: 404 "),
        ("nix://a/b.wav", ConfigError, "nix://a/b.wav can't be read: nothing here knows nix://;"),
        ("zip://a::s3://b", ConfigError, "zip://a::s3://b leads through several places (::); give"),
        (
            "s3://bucket/a.wav",
            ConfigError,
            "s3://bucket/a.wav needs s3fs, which is not installed; install it with: "
            "pip install s3fs",
        ),
    ],
)
def test_what_cannot_be_listed_is_named(tmp_path, web, monkeypatch, url, error, message):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/n.txt").touch()
    server = web(tmp_path, _Plain)
    with pytest.raises(error, match=re.escape(message.format(web=server))):
        list(entries([url.format(web=server)]))


def test_fsspec_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtra, match=r"needs fsspec, .*voxplain\[remote\]"):
        list(entries(["s3://bucket/"]))


def test_nobody_but_annotate_fetches_what_a_url_names():
    """The service takes no URL, nor does analyze: what fetches is out of their reach."""
    source = Path(voxplain.__file__).parent
    fetching = re.compile(
        r"\bfsspec\b|annotation(\.(remote|archives|listing|tables|work)| import)\b"
    )
    users = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if fetching.search(path.read_text(encoding="utf-8"))
    }
    assert {name for name in users if not name.startswith("annotation/")} == {"cli/annotate.py"}
    with pytest.raises(AudioError, match="there is no such file"):
        voxplain.analyze("memory://corpus/a.wav")
