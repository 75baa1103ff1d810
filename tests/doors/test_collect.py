"""``voxplain study collect``, ``export`` and ``withdraw``, and a server that is killed."""

import re
import socket
import subprocess
import sys

import pytest

from voxplain.cli import main
from voxplain.collection import store
from voxplain.collection.store import Answer
from voxplain.training.studies.roles import accounts

httpx = pytest.importorskip("httpx2")

PROTOCOL = """
kind: collection
title: {en: Two scenes}
languages: [en]
consent: {en: We keep your voice.}
prompt: {en: Say what happened.}
order: fixed
seconds: {least: 1, most: 10}
storage: encrypted
labels: {happy: {en: joy}, sad: {en: sadness}}
items:
  - {id: train, intended: happy, text: {en: A train pulls in.}}
  - {id: bowl, intended: sad, text: {en: A bowl is filled.}}
"""


@pytest.fixture
def place(tmp_path):
    (tmp_path / "protocol.yaml").write_text(PROTOCOL)
    return tmp_path


def collect(place, *more):
    protocol, key, out = place / "protocol.yaml", place / "scenes.key", place / "scenes"
    return ["study", "collect", str(protocol), "--key", str(key), "--out", str(out), *more]


class Server:
    """The command in a process of its own."""

    def __init__(self, place):
        command = [sys.executable, "-m", "voxplain", *collect(place, "--port", "0")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.told = self.process.stdout.readline() + self.process.stdout.readline()
        self.address = re.search(r"http://127\.0\.0\.1:\d+", self.told).group()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def take_part(client, spoken, item, evoked):
    client.put(f"/api/items/{item}/recording", content=spoken).raise_for_status()
    rated = {"evoked": evoked, "valence": 3, "arousal": 6}
    return client.post(f"/api/items/{item}/answer", json=rated).raise_for_status().json()


def enrolled(client):
    version = client.get("/api/study").json()["en"]["version"]
    agreed = {"language": "en", "version": version, "agreed": True}
    return client.post("/api/participants", json=agreed).raise_for_status().json()["code"]


def test_from_a_killed_server_to_a_table_and_a_withdrawal(place, spoken, capsys):
    with Server(place) as server, httpx.Client(base_url=server.address) as client:
        assert server.told.startswith("Two scenes: http://127.0.0.1:")
        assert "scenes, encrypted: 0 participants; Ctrl-C ends" in server.told
        code = enrolled(client)
        take_part(client, spoken, "train", "sad")
        client.put("/api/items/bowl/recording", content=spoken).raise_for_status()
        server.process.kill()
    with Server(place) as server, httpx.Client(base_url=server.address) as client:
        assert "1 participant" in server.told
        client.post("/api/session", json={"code": code}).raise_for_status()
        at = client.get("/api/participant").json()
        assert (at["done"], at["item"]["id"], at["recorded"]) == (1, "bowl", True)
        take_part(client, spoken, "bowl", "happy")
        other = enrolled(client)
        take_part(client, spoken, "train", "happy")

    scenes, table, key = (str(place / name) for name in ("scenes", "out.csv", "scenes.key"))
    assert main(["study", "export", scenes, "--key", key, "-o", table]) == 0
    printed = capsys.readouterr().out
    assert f"wrote {table}: 3 accounts of 2 participants" in printed
    assert f"recordings, not encrypted: {place / 'out_audio'}" in printed
    assert len(accounts.read(place / "out.csv")) == 3

    assert main(["study", "withdraw", scenes, other]) == 0
    printed = capsys.readouterr().out
    assert "deleted: the consent, 1 answer and 1 recording; left are 1 participant" in printed
    assert "export again, delete the copies" in printed
    assert main(["study", "withdraw", scenes, other]) == 2
    assert "or they have withdrawn already" in capsys.readouterr().err
    assert main(["study", "export", scenes, "--key", key, "-o", table]) == 0
    assert "2 accounts of 1 participant (1 more withdrew)" in capsys.readouterr().out
    assert len(list((place / "out_audio").iterdir())) == 2


def test_the_study_takes_the_table_with_the_words_that_a_recogniser_hears(place, spoken):
    pytest.importorskip("pocketsphinx")
    scenes = store.begin(place / "scenes", title={"en": "T"}, storage="plain", key=None)
    for answer in (Answer("train", "happy", "sad", 2, 7), Answer("bowl", "sad", "happy", 8, 3)):
        one = scenes.participant(scenes.enrol("We keep your voice.", language="en"))
        one.record(answer.item, spoken)
        one.answer(answer)
    table, marks = place / "out.csv", place / "marks"
    export = ["study", "export", str(place / "scenes"), "-o", str(table)]
    assert main([*export, "--asr", "pocketsphinx"]) == 0
    said = accounts.read(table)[0].text.lower().split()
    assert {"exactly", "happened"} & set(said)
    assert main(["study", "roles", str(table), "--annotate", str(marks)]) == 0
    assert list(marks.iterdir())


def test_a_passphrase_lies_in_the_environment(place, capsys, monkeypatch):
    monkeypatch.setenv("VOXPLAIN_PASSPHRASE", "one two three four")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [one for one in collect(place) if one not in ("--key", str(place / "scenes.key"))]
        assert main([*command, "--port", str(port)]) == 6
    assert f"the port {port} is taken; give another --port" in capsys.readouterr().err
    export = ["study", "export", str(place / "scenes"), "-o", str(place / "out.csv")]
    assert main(export) == 0
    monkeypatch.setenv("VOXPLAIN_PASSPHRASE", "four three two one")
    assert main(export) == 2
    wrong = capsys.readouterr().err
    assert "without the key that it was begun with nobody can open it" in wrong


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["collect"], "collect takes one path: collect PROTOCOL.yaml"),
        (["collect", "protocol.yaml"], "collect needs a folder for the collection: --out PATH"),
        (["collect", "gone.yaml", "--out", "x"], "recipe gone.yaml can't be read"),
        (["collect", "protocol.yaml", "--out", "x"], "x is encrypted; give --key FILE, or a"),
        (["export", "x"], "export needs a table: --out PATH"),
        (["export", "x", "--out", "t.csv"], "x holds no collection"),
        (["withdraw", "x"], "give a folder and a code: withdraw FOLDER CODE"),
        (["withdraw", "x", "AAAA-BBBB-CCCC"], "x holds no collection"),
    ],
)
def test_what_is_lacking_is_said(place, capsys, monkeypatch, command, message):
    monkeypatch.delenv("VOXPLAIN_PASSPHRASE", raising=False)
    monkeypatch.chdir(place)
    assert main(["study", *command]) == 2
    assert message in capsys.readouterr().err
    assert [one.name for one in place.iterdir()] == ["protocol.yaml"]


def test_without_the_extra_it_is_named(place, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert main(collect(place)) == 3
    assert "pip install 'voxplain[collect]'" in capsys.readouterr().err
