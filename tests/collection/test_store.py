"""What is kept, for whom, and what is left of it after a withdrawal."""

import json
import re
import shutil

import pytest

from voxplain import files
from voxplain.collection import store
from voxplain.collection.store import Answer, Withdrawal
from voxplain.errors import ConfigError, InputError, OutputError

CONSENT = "We keep your voice."
HAPPY = Answer("train", "happy", "sad", 2, 7)
SAD = Answer("bowl", "sad", "sad", 1, 9)
PASSPHRASE = "five words of a passphrase"


def begin(folder, *, storage="encrypted", key=PASSPHRASE):
    return store.begin(folder, title={"en": "T"}, storage=storage, key=key)


def test_what_was_given_is_there_when_the_folder_is_opened_again(collection, tmp_path, spoken):
    code = collection.enrol(CONSENT, language="en")
    one = collection.participant(code)
    one.record("train", b"first try")
    one.record("train", spoken)
    one.answer(HAPPY)
    key = tmp_path / "keys/one.key" if collection.seal.fernet else None
    again = store.resume(collection.folder, key=key).participant(code.lower().replace("-", " "))
    assert again.recording("train") == spoken
    assert again.answers() == [HAPPY]
    assert again.recorded("train")
    assert not again.recorded("bowl")
    assert (again.consent.language, again.consent.version) == ("en", store.version(CONSENT))
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", again.consent.time)
    agreed = collection.folder / "consents" / f"{again.consent.version}.txt"
    assert agreed.read_text() == CONSENT


def test_codes_are_easy_to_read_hard_to_guess_and_nowhere_on_the_disk(collection):
    codes = {collection.enrol(CONSENT, language="en") for _ in range(20)}
    assert len(codes) == 20
    assert all(re.fullmatch(r"([2-9A-HJKMNP-Z]{4}-){2}[2-9A-HJKMNP-Z]{4}", one) for one in codes)
    told = everything(collection.folder)
    assert not any(
        code.encode() in told or code.replace("-", "").encode() in told for code in codes
    )
    assert collection.participant("AAAA-BBBB-CCCC") is None
    assert collection.participant("../../etc") is None
    assert collection.participant("") is None


def everything(folder):
    """All names and contents below a folder."""
    found = [path.name.encode() for path in folder.rglob("*")]
    return b"\n".join(found + [path.read_bytes() for path in folder.rglob("*") if path.is_file()])


def test_nothing_that_is_sealed_can_be_read_on_the_disk(tmp_path, spoken):
    plain = {}
    for storage, key in (("plain", None), ("encrypted", PASSPHRASE)):
        collection = begin(tmp_path / storage, storage=storage, key=key)
        one = collection.participant(collection.enrol(CONSENT, language="en"))
        one.record("train", spoken)
        one.answer(HAPPY)
        told = everything(tmp_path / storage)
        plain[storage] = [
            part in told for part in (spoken[1000:1064], b"RIFF", b'"valence"', b'"evoked"')
        ]
        assert PASSPHRASE.encode() not in told
    assert plain == {"plain": [True] * 4, "encrypted": [False] * 4}
    lines = next((tmp_path / "encrypted").rglob("answers.jsonl")).read_bytes().splitlines()
    assert len(lines) == 1


def test_another_key_opens_nothing_and_says_so(tmp_path):
    key = tmp_path / "one.key"
    begin(tmp_path / "a", key=key)
    assert key.stat().st_mode & 0o777 == 0o600
    begin(tmp_path / "b", key=tmp_path / "other.key")
    begin(tmp_path / "c")
    (tmp_path / "bad.key").write_text("no key")
    for folder, wrong, message in (
        ("a", tmp_path / "other.key", "another key, or is damaged; without the key that it was"),
        ("a", tmp_path / "bad.key", "holds no key; give the file that was made for this"),
        ("a", tmp_path / "lost.key", r"lost.key can't be read: .*give the file that it was made"),
        ("a", PASSPHRASE, "was sealed with a key file; give that"),
        ("a", None, r"is encrypted; give --key FILE, or a passphrase in \$VOXPLAIN_PASSPHRASE"),
        ("c", "another passphrase", "was sealed with another key"),
        ("c", key, "was sealed with a passphrase; give that"),
    ):
        with pytest.raises(ConfigError, match=message):
            store.resume(tmp_path / folder, key=wrong)
    assert not (tmp_path / "lost.key").exists()
    assert store.resume(tmp_path / "c", key=PASSPHRASE).participants() == []


def test_folders_that_are_no_place_for_it(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.txt").write_text("x")
    with pytest.raises(ConfigError, match="holds something else; give a new folder with --out"):
        begin(tmp_path / "full")
    with pytest.raises(ConfigError, match=r"collection.json: .*give the folder that voxplain"):
        store.resume(tmp_path / "full", key=None)
    with pytest.raises(ConfigError, match="would lie beside what it opens; keep it elsewhere"):
        begin(tmp_path / "new", key=tmp_path / "new/sub/one.key")
    with pytest.raises(ConfigError, match="has 5 characters; take 12 or more"):
        begin(tmp_path / "new", key="short")
    with pytest.raises(ConfigError, match="is kept plain and takes no key; leave it out"):
        begin(tmp_path / "new", storage="plain")
    assert not (tmp_path / "new").exists()
    begin(tmp_path / "new", storage="plain", key=None)
    with pytest.raises(ConfigError, match="was begun plain, and the protocol says encrypted"):
        begin(tmp_path / "new")
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match=r"the key .*can't be written"):
        begin(tmp_path / "other", key=tmp_path / "file/one.key")


def test_an_item_is_done_with_once(collection):
    one = collection.participant(collection.enrol(CONSENT, language="en"))
    with pytest.raises(InputError, match="there is no recording of 'train' yet; send it first"):
        one.answer(HAPPY)
    one.record("train", b"sound")
    one.answer(HAPPY)
    one.answer(HAPPY)  # sent again, since the page did not hear that it came
    for again in (
        lambda: one.answer(Answer("train", "happy", "happy", 9, 9)),
        lambda: one.record("train", b"other"),
    ):
        with pytest.raises(InputError, match="'train' is answered already; go on with the next"):
            again()
    assert one.answers() == [HAPPY]
    assert one.recording("train") == b"sound"


def test_a_withdrawal_leaves_a_number_and_nothing_else(collection, spoken):
    codes = [collection.enrol(CONSENT, language="en") for _ in range(2)]
    gone, stays = map(collection.participant, codes)
    for one in (gone, stays):
        one.record("train", spoken)
        one.answer(HAPPY)
        one.record("bowl", spoken)
    assert collection.withdraw(codes[0].lower()) == Withdrawal(answers=1, recordings=2)
    assert collection.withdrawn == 1
    assert [one.id for one in collection.participants()] == [stays.id]
    assert gone.id.encode() not in everything(collection.folder)
    (left,) = (collection.folder / "withdrawn").iterdir()
    assert [one.name for one in left.iterdir()] == ["day"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\d\n", (left / "day").read_text())
    assert stays.recording("bowl") == spoken
    assert collection.participant(codes[0]) is None
    with pytest.raises(InputError, match=r"nobody in .* has the code '\w{4}-.*look at what was"):
        collection.withdraw(codes[0])
    with pytest.raises(InputError, match="the participant has withdrawn; nothing more is kept"):
        gone.record("bowl", spoken)
    assert gone.id.encode() not in everything(collection.folder)


def test_a_withdrawal_that_was_interrupted_is_finished(collection, spoken, monkeypatch):
    code = collection.enrol(CONSENT, language="en")
    collection.participant(code).record("train", spoken)

    def full(left):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(store, "_empty", full)
        with pytest.raises(OutputError, match=r"can't be written: Input/output error; .*try again"):
            collection.withdraw(code)
    assert collection.participant(code) is None  # from the first step on
    again = store.unopened(collection.folder)
    assert again.withdrawn == 1
    assert [one.name for one in (again.folder / "withdrawn").glob("*/*")] == ["day"]


def test_a_write_that_fails_leaves_what_was_there(collection, monkeypatch):
    one = collection.participant(collection.enrol(CONSENT, language="en"))
    one.record("train", b"sound")
    one.answer(HAPPY)
    one.record("bowl", b"sound")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        for fail in (lambda: one.answer(SAD), lambda: one.record("bowl", b"x")):
            with pytest.raises(OutputError, match="No space left on device; what is stored is"):
                fail()
        with pytest.raises(OutputError, match="No space left"):
            collection.enrol(CONSENT, language="en")
    assert one.answers() == [HAPPY]
    assert one.recording("bowl") == b"sound"
    assert len(collection.participants()) == 1


def test_what_is_damaged_is_named(collection):
    one = collection.participant(collection.enrol(CONSENT, language="en"))
    (one.folder / "answers.jsonl").write_bytes(b"torn")
    with pytest.raises(ConfigError, match=r"answers.jsonl can't be read: .*bring it back from"):
        one.answers()
    shutil.rmtree(one.folder)
    with pytest.raises(ConfigError, match=r"consent.json can't be read"):
        _ = one.consent


def test_a_folder_says_how_it_is_kept(tmp_path):
    begin(tmp_path / "a", storage="plain", key=None)
    told = json.loads((tmp_path / "a/collection.json").read_text())
    assert told == {"schema_version": 1, "title": {"en": "T"}, "storage": "plain", "seal": None}
