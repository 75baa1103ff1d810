"""What the server of a collection answers, refuses and keeps."""

import pytest
from starlette.testclient import TestClient

from voxplain.collection import protocol, store
from voxplain.service.collecting import create_app

CONSENT = "We keep your voice.\n\nYou may withdraw."
AGREED = {"language": "en", "version": store.version(CONSENT), "agreed": True}
RATED = {"evoked": "sad", "valence": 2, "arousal": 7}


@pytest.fixture
def visitors(asked, collection):
    """Makes browsers."""
    app = create_app(asked, collection)
    return lambda **headers: TestClient(app, base_url="http://127.0.0.1", headers=headers)


@pytest.fixture
def visitor(visitors):
    return visitors()


@pytest.fixture
def participant(visitor):
    """A browser whose user has agreed; ``code`` is theirs."""
    visitor.code = visitor.post("/api/participants", json=AGREED).json()["code"]
    return visitor


def do(visitor, item, spoken, rated=RATED):
    assert visitor.put(f"/api/items/{item}/recording", content=spoken).status_code == 204
    return visitor.post(f"/api/items/{item}/answer", json=rated)


def people(collection):
    return list((collection.folder / "participants").glob("*"))


def detail(answer, code):
    assert answer.status_code == code, answer.text
    return answer.json()["detail"]


def test_before_consent_nothing_is_told_but_it_and_nothing_is_written(visitor, collection, spoken):
    told = visitor.get("/api/study").json()["en"]
    assert told.keys() == {"title", "consent", "version", "words"}
    assert told["consent"] == CONSENT
    assert visitor.get("/api/participant").json() is None
    for ask in (
        lambda: visitor.get("/api/items/bowl/media"),
        lambda: visitor.put("/api/items/train/recording", content=spoken),
        lambda: visitor.post("/api/items/train/answer", json=RATED),
    ):
        assert "nobody has this code, or they have withdrawn" in detail(ask(), 401)
    for change, message in (
        ({"agreed": False}, "without consent nothing is asked and nothing is kept"),
        ({"version": "0" * 12}, "the text to agree to has changed meanwhile; load the page again"),
        ({"language": "fr"}, "the language is one of en, not 'fr'"),
        ({"agreed": "yes"}, "the body: agreed must be bool, not 'yes'"),
        ({"name": "Ann"}, "unknown key 'name'"),
    ):
        refused = visitor.post("/api/participants", json=AGREED | change)
        assert message in detail(refused, 422)
    assert [one.name for one in collection.folder.iterdir()] == ["collection.json"]


def test_from_consent_to_thanks(participant, collection, spoken, angry):
    at = participant.get("/api/participant").json()
    assert (at["done"], at["total"], at["recorded"]) == (0, 2, False)
    assert at["item"] == {"id": "train", "kind": "text", "text": {"en": "A train pulls in."},
                          "alt": None}  # fmt: skip
    participant.put("/api/items/train/recording", content=spoken)
    assert participant.get("/api/participant").json()["recorded"]  # as after a reload
    at = participant.post("/api/items/train/answer", json=RATED).json()
    assert (at["done"], at["item"]["id"]) == (1, "bowl")
    clip = participant.get("/api/items/bowl/media")
    assert clip.content == angry.read_bytes()
    at = do(participant, "bowl", spoken).json()
    assert (at["done"], at["item"]) == (2, None)
    (one,) = collection.participants()
    assert [answer.item for answer in one.answers()] == ["train", "bowl"]
    assert one.answers()[0].intended == "happy"
    assert one.recording("bowl") == spoken


def test_the_code_opens_the_same_account_elsewhere_and_is_in_no_answer(
    participant, visitors, spoken
):
    do(participant, "train", spoken)
    other = visitors()
    assert detail(other.post("/api/session", json={"code": "ABCD-EFGH-JKLM"}), 401)
    assert other.post("/api/session", json={"code": participant.code.lower()}).status_code == 204
    at = other.get("/api/participant")
    assert at.json()["done"] == 1
    assert participant.code not in at.text
    cookie = participant.post("/api/session", json={"code": participant.code}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    other.delete("/api/session")
    assert other.get("/api/participant").json() is None


def test_one_participant_neither_sees_nor_changes_another(
    participant, visitors, collection, spoken
):
    do(participant, "train", spoken)
    other = visitors()
    other.post("/api/participants", json=AGREED)
    assert other.get("/api/participant").json()["done"] == 0
    do(other, "train", spoken, RATED | {"valence": 9})
    answers = {one.answers()[0].valence for one in collection.participants()}
    assert answers == {2, 9}


def test_twice_is_once(participant, collection, spoken):
    first = do(participant, "train", spoken)
    again = participant.post("/api/items/train/answer", json=RATED)
    assert again.json() == first.json()
    for refused in (
        participant.post("/api/items/train/answer", json=RATED | {"valence": 3}),
        participant.put("/api/items/train/recording", content=spoken),
    ):
        assert "'train' is answered already; go on with the next" in detail(refused, 422)
    (one,) = collection.participants()
    assert len(one.answers()) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"evoked": "rage"}, "evoked is one of happy, sad, not 'rage'"),
        ({"valence": 0}, "valence is a number from 1 to 9, not 0"),
        ({"arousal": 10}, "arousal is a number from 1 to 9, not 10"),
        ({"arousal": 2.5}, "the body: arousal must be int, not 2.5"),
        ({"arousal": None}, "the body: arousal must be int, not None"),
    ],
)
def test_other_answers(participant, spoken, change, message):
    participant.put("/api/items/train/recording", content=spoken)
    refused = participant.post("/api/items/train/answer", json=RATED | change)
    assert message in detail(refused, 422)


def test_bodies_that_are_no_object(participant):
    url = "/api/items/train/answer"
    assert "the body must be JSON: " in detail(participant.post(url, content=b"{"), 422)
    deep = b"[" * 9000
    assert "the body must be JSON: " in detail(participant.post(url, content=deep), 422)
    assert "must be an object, not list" in detail(participant.post(url, json=[1]), 422)
    assert "more than 10000 bytes" in detail(participant.post(url, content=bytes(20_000)), 413)


def test_recordings_that_are_none(participant, collection, angry, wav_of):
    url = "/api/items/train/recording"
    opus = participant.put(url, content=angry.read_bytes())
    assert "the recording is no WAV" in detail(opus, 422)
    long = participant.put(url, content=wav_of(b"\1" * 322_000))
    assert "lasts 10.1 s; record 1 to 10 s" in detail(long, 422)
    huge = participant.put(url, content=(bytes(100_000) for _ in range(50)))  # says no length
    assert "more than 324096 bytes; record less" in detail(huge, 413)
    assert "there is no recording" in detail(
        participant.post("/api/items/train/answer", json=RATED), 422
    )
    (one,) = collection.participants()
    assert not one.recorded("train")


def test_items_out_of_turn_and_names_that_lead_elsewhere(participant, collection, spoken, tmp_path):
    early = participant.put("/api/items/bowl/recording", content=spoken)
    assert "it is the turn of another item; load the page again" in detail(early, 409)
    assert "this item is a text" in detail(participant.get("/api/items/train/media"), 404)
    before = sorted(tmp_path.rglob("*"))
    for name in ("nothing", "..%2F..%2Fx", "%2E%2E", "..%5Cx", "consent", "%00"):
        for answer in (
            participant.put(f"/api/items/{name}/recording", content=spoken),
            participant.get(f"/api/items/{name}/media"),
        ):
            assert answer.status_code == 404
    for path in ("/page/../report/page.css", "/page/..%2Freport/page.css", "/page/%2e%2e/x"):
        assert participant.get(path).status_code == 404
    assert sorted(tmp_path.rglob("*")) == before


def test_withdrawal_needs_the_code_and_ends_everything(participant, collection, spoken):
    do(participant, "train", spoken)
    participant.put("/api/items/bowl/recording", content=spoken)
    wrong = participant.request("DELETE", "/api/participants", json={"code": "ABCD-EFGH-JKLM"})
    assert "nobody has this code" in detail(wrong, 401)
    cookies = dict(participant.cookies)
    gone = participant.request("DELETE", "/api/participants", json={"code": participant.code})
    assert gone.json() == {"answers": 1, "recordings": 2}
    participant.cookies.update(cookies)  # another window does not know it yet
    assert "they have withdrawn" in detail(
        participant.put("/api/items/bowl/recording", content=spoken), 401
    )
    assert people(collection) == []
    assert collection.withdrawn == 1


def test_other_pages_and_other_names_are_turned_away(visitors, collection):
    for site in ("cross-site", "same-site"):
        foreign = visitors(**{"sec-fetch-site": site}).post("/api/participants", json=AGREED)
        assert "only the page itself may ask this" in detail(foreign, 403)
    assert visitors(host="evil.example").get("/api/study").status_code == 400
    assert people(collection) == []


def test_every_answer_says_what_browsers_may_do(visitor):
    for path in ("/", "/base.css", "/page/page.js", "/api/study", "/nothing"):
        headers = visitor.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_a_full_disk_is_told(participant, collection, spoken, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("voxplain.files.os.fsync", full)
        refused = participant.put("/api/items/train/recording", content=spoken)
    assert "No space left on device; what is stored is kept" in detail(refused, 507)
    assert do(participant, "train", spoken).status_code == 200


def test_a_protocol_that_changed_goes_on_with_what_is_left(participant, collection, spoken, recipe):
    do(participant, "train", spoken)
    shorter = protocol.read(recipe(("id: train", "id: other")))
    later = TestClient(create_app(shorter, collection), base_url="http://127.0.0.1")
    later.post("/api/session", json={"code": participant.code})
    at = later.get("/api/participant").json()
    assert (at["done"], at["total"], at["item"]["id"]) == (0, 2, "other")
