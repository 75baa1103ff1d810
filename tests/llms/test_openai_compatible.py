"""A server is asked, and whatever it does there is an answer or an error that says what to do."""

import json
import logging
import os
import socket
import stat
import sys
import threading
import traceback

import pytest

from voxplain.errors import (
    BackendRefused,
    BackendTimeout,
    BadReply,
    ConfigError,
    MissingExtra,
    OutputError,
)
from voxplain.llms import complete_each, openai_compatible
from voxplain.text.roles.llm import segment

KEY = "sk-very-secret-0123456789"
HELLO = [{"role": "user", "content": "hello"}]
SCHEMA = {
    "type": "object",
    "properties": {"mood": {"enum": ["calm", "tense"]}},
    "required": ["mood"],
    "additionalProperties": False,
}
AGAIN_SOON = {"retry-after-ms": "1"}


def load(server, **options):
    return openai_compatible.load(model="tiny", base_url=server.url, **options)


@pytest.fixture
def far(server, monkeypatch):
    """Base URL that looks like another machine and leads to the server."""
    monkeypatch.setattr(openai_compatible, "_told", set())
    return server.url.replace("127.0.0.1", "0.0.0.0")


def test_a_question_is_asked_greedily_and_the_answer_given(server):
    server.answers = ["hello yourself"]
    assert load(server, api_key=KEY).complete(HELLO, max_tokens=7) == "hello yourself"
    ((path, headers, body),) = server.requests
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert body == {"model": "tiny", "messages": HELLO, "max_tokens": 7, "temperature": 0}


def test_the_name_says_which_model_where(server):
    assert load(server, api_key=KEY).name == f"tiny at {server.url}"


def test_address_and_key_may_come_from_the_environment(server, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    assert openai_compatible.load(model="tiny").complete(HELLO) == "yes"
    assert server.requests[0][1]["Authorization"] == f"Bearer {KEY}"


def test_a_schema_is_sent_along(server):
    server.answers = ['{"mood": "calm"}']
    assert json.loads(load(server).complete(HELLO, schema=SCHEMA)) == {"mood": "calm"}
    ((_, _, body),) = server.requests
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_takes_no_schema_is_told_in_words(server, status):
    refusal = (status, {}, {"error": {"message": "response_format is not supported"}})
    server.answers = [refusal, '```json\n{"mood": "tense"}\n```']
    assert load(server).complete(HELLO, schema=SCHEMA) == '{"mood": "tense"}'
    _, (_, _, body) = server.requests
    assert "response_format" not in body
    assert json.dumps(SCHEMA) in body["messages"][0]["content"]


def test_a_fault_that_is_not_the_schema_shows_again(server):
    server.answers = [(400, {}, {"error": {"message": "context too long"}})]
    with pytest.raises(BackendRefused, match=r"tiny at .* refused: .*context too long"):
        load(server).complete(HELLO, schema=SCHEMA)


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "\n {}\n\n",
        "```json\n{}\n```",
        "```\n{}```",
        "<think>Calm {{or}} tense?</think>\n\n{}",
        "Or tense?\n</think>```json\n{}\n```",
    ],
)
def test_what_models_put_around_an_answer_is_taken_off(server, around):
    answer = '{"mood": "calm", "why": "no ``` and no </think> in it"}'
    server.answers = [around.format(answer)]
    assert load(server).complete(HELLO, schema={"required": ["mood"]}) == answer


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("I think it is calm.", "the reply is no JSON .*: 'I think it is calm.'"),
        ('{"mood": "calm"', "the reply is no JSON"),
        ("[" * 100_000, "the reply is no JSON"),
        ('{"mood": "joy"}', r"the reply does not fit at \$\.mood: 'joy' is not one of"),
        ("{}", r"the reply does not fit at \$: 'mood' is a required property"),
    ],
)
def test_a_reply_that_does_not_fit_is_refused(server, reply, expected):
    server.answers = [reply]
    with pytest.raises(BadReply, match=expected):
        load(server).complete(HELLO, schema=SCHEMA)


@pytest.mark.parametrize(
    ("content", "message", "expected"),
    [
        ("", {}, r"gave no answer \(at most 1024 tokens\); allow more"),
        (None, {}, "gave no answer"),
        ('{"mood": "ca', {"reason": "length"}, r"tiny at \S+ broke off \(at most 1024 tokens\)"),
    ],
)
def test_no_answer_and_half_an_answer_are_refused(server, completion, content, message, expected):
    server.answers = [completion(content, **message)]
    with pytest.raises(BadReply, match=expected):
        load(server).complete(HELLO)


@pytest.mark.parametrize(
    "body", [{}, {"choices": []}, {"choices": None}, (200, {}, "<h1>It works!</h1>"), [1]]
)
def test_what_is_no_chat_completion_is_refused(server, body):
    answer = (200, {"content-type": "application/json"}, "[1") if body == [1] else body
    server.answers = [answer]
    with pytest.raises(BadReply, match=r"answers, but with no chat completion; check .* base URL"):
        load(server).complete(HELLO)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"refusal": "I can't help with that."}, "would not answer: I can't help with that."),
        ({"reason": "content_filter"}, "would not answer: content_filter"),
    ],
)
def test_a_model_that_would_not_answer(server, completion, message, expected):
    server.answers = [completion("", **message)]
    with pytest.raises(BackendRefused, match=expected):
        load(server).complete(HELLO)


def test_a_fault_of_the_moment_is_tried_again(server):
    server.answers = [(500, AGAIN_SOON, {}), (429, AGAIN_SOON, {}), "at last"]
    assert load(server, retries=2).complete(HELLO) == "at last"
    assert len(server.requests) == 3


def test_it_is_not_tried_for_ever(server):
    server.answers = [(503, AGAIN_SOON, {"error": {"message": "overloaded"}})]
    with pytest.raises(BackendRefused, match=r"refused: .*overloaded.*; its log may say more"):
        load(server, retries=1).complete(HELLO)
    assert len(server.requests) == 2


def test_a_server_that_never_answers(server):
    server.answers = [lambda body: server.over.wait() and "too late"]
    expected = r"tiny at \S+ gave no answer within 0.05 s, 1 times; allow more time"
    with pytest.raises(BackendTimeout, match=expected):
        load(server, timeout=0.05, retries=0).complete(HELLO)


def test_a_server_that_is_not_there():
    with socket.socket() as closed:  # bound and not listening
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        llm = openai_compatible.load(model="tiny", base_url=url, retries=0)
        with pytest.raises(BackendRefused, match=rf"{url} can't be reached: .*; start the server"):
            llm.complete(HELLO)


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (401, "give its key in OPENAI_API_KEY"),
        (403, "give a key in OPENAI_API_KEY that may use this model"),
        (404, "check the name of the model"),
        (413, "ask less at once"),
        (418, "its log may say more"),
        (429, "wait, or see to the account"),
    ],
)
def test_a_refusal_says_what_to_do(server, status, remedy):
    server.answers = [(status, {}, {"error": {"message": "no"}})]
    with pytest.raises(BackendRefused, match=remedy):
        load(server, retries=0).complete(HELLO)


@pytest.mark.parametrize(
    "answer",
    [
        "fine",
        (401, {}, {"error": {"message": f"wrong key: {KEY}"}}),
        (500, {}, f"<pre>Authorization: Bearer {KEY}</pre>"),
        {"choices": KEY},
    ],
)
def test_a_key_shows_nowhere(server, caplog, answer):
    caplog.set_level(logging.DEBUG)
    server.answers = [answer]
    llm = load(server, api_key=KEY, retries=0)
    seen = [repr(llm), llm.name]
    try:
        seen.append(llm.complete(HELLO, schema=None))
    except (BackendRefused, BadReply) as error:
        seen += [str(error), repr(error), "".join(traceback.format_exception(error))]
    assert "chat/completions" in caplog.text  # the client does log
    assert [text for text in (*seen, caplog.text) if KEY in text] == []


@pytest.mark.parametrize("key", ["sk-secret\nX: y", "sk-sécret"])
def test_what_can_be_no_key_is_refused_and_not_repeated(server, key):
    with pytest.raises(ConfigError, match=r"^the API key has characters that no key has") as caught:
        load(server, api_key=key)
    assert "sk-s" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:11434/v1",
        "ftp://localhost/v1",
        "http:///v1",
        "http://[::1/v1",
        f"https://me:{KEY}@models.example.org/v1",
        f"https://models.example.org/v1?key={KEY}",
        KEY,
    ],
)
def test_a_base_url_is_an_address_and_holds_no_key(url):
    with pytest.raises(ConfigError, match=r"base URL \(host .*\) must be http\(s\)://") as caught:
        openai_compatible.load(model="tiny", base_url=url)
    assert KEY not in str(caught.value)


def test_text_that_leaves_the_machine_is_announced_once(server, far, caplog):
    told = []

    def notice(line):
        told.append((line, len(server.requests)))

    for _ in range(2):
        llm = openai_compatible.load(model="tiny", base_url=far, notice=notice)
        complete_each(llm, [HELLO] * 3)
    ((line, sent),) = told
    assert f"leaves this machine: it is sent to {far}, unencrypted" in line
    assert sent == 0
    assert len(server.requests) == 6
    assert "leaves this machine" not in caplog.text


@pytest.mark.usefixtures("server")
def test_by_default_the_log_announces_it(far, caplog):
    openai_compatible.load(model="tiny", base_url=far).complete(HELLO)
    assert [record.levelname for record in caplog.records if far in record.getMessage()] == [
        "WARNING"
    ]


def test_a_notice_that_raises_keeps_the_text_here(server, far):
    def refuse(line):
        raise PermissionError(line)

    llm = openai_compatible.load(model="tiny", base_url=far, notice=refuse)
    for _ in range(2):
        with pytest.raises(PermissionError, match="leaves this machine"):
            llm.complete(HELLO)
    assert server.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_what_stays_here_is_not_announced_and_passes_no_proxy(server, another, host, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", another.url)
    url = server.url.replace("127.0.0.1", host)
    told = []
    openai_compatible.load(model="tiny", base_url=url, notice=told.append).complete(HELLO)
    assert (told, len(server.requests), another.requests) == ([], 1, [])


def test_text_is_sent_on_to_no_other_server(server, another):
    server.answers = [(307, {"location": f"{another.url}/chat/completions"}, {})]
    with pytest.raises(BackendRefused, match=r"refused: .*307"):
        load(server, retries=0).complete(HELLO)
    assert another.requests == []


def test_an_answer_is_kept(server, tmp_path):
    server.answers = ["first", "second"]
    for _ in range(2):
        assert load(server, cache=tmp_path / "new" / "answers").complete(HELLO) == "first"
    assert len(server.requests) == 1
    (entry,) = (tmp_path / "new" / "answers").iterdir()
    assert "hello" not in entry.read_text(encoding="utf-8")
    if os.name == "posix":
        assert stat.S_IMODE(entry.stat().st_mode) == 0o600


def test_another_question_is_another_entry(server, tmp_path):
    server.answers = [str(n) for n in range(9)]
    questions = [
        ("tiny", HELLO, {}),
        ("large", HELLO, {}),
        ("tiny", [{"role": "user", "content": "hallo"}], {}),
        ("tiny", [{"role": "system", "content": "hello"}], {}),
        ("tiny", HELLO, {"max_tokens": 9}),
        ("tiny", HELLO, {"schema": {}}),
    ]
    for _ in range(2):
        answers = [
            openai_compatible.load(model=model, base_url=server.url, cache=tmp_path).complete(
                messages, **options
            )
            for model, messages, options in questions
        ]
        assert answers == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("broken", ["", '{"answer": "fi', "[]", "{}", '{"answer": 1}', "\0\xff"])
def test_a_broken_entry_is_replaced(server, tmp_path, broken):
    server.answers = ["fine"]
    llm = load(server, cache=tmp_path)
    llm.complete(HELLO)
    (entry,) = tmp_path.iterdir()
    entry.write_text(broken, encoding="latin-1")
    assert [llm.complete(HELLO), llm.complete(HELLO)] == ["fine", "fine"]
    assert len(server.requests) == 2
    assert list(tmp_path.iterdir()) == [entry]


def test_what_went_wrong_is_not_kept(server, tmp_path):
    server.answers = [(401, {}, {}), "no JSON", '{"mood": "calm"}']
    llm = load(server, cache=tmp_path)
    for error in (BackendRefused, BadReply):
        with pytest.raises(error):
            llm.complete(HELLO, schema=SCHEMA)
        assert list(tmp_path.iterdir()) == []
    assert llm.complete(HELLO, schema=SCHEMA) == '{"mood": "calm"}'


def test_a_cache_that_can_keep_nothing_is_named_before_anything_is_sent(server, tmp_path):
    place = tmp_path / "file"
    place.touch()
    with pytest.raises(OutputError, match=r"file can't keep answers: .*give another folder"):
        load(server, cache=place).complete(HELLO)
    assert server.requests == []


def test_many_are_asked_at_once_and_no_more_than_allowed(server):
    together, inside, most = threading.Barrier(2, timeout=10), [], []

    def answer(body):
        inside.append(body)
        most.append(len(inside))
        together.wait()  # only with another question at the same time
        inside.pop()
        together.wait()
        return body["messages"][0]["content"].upper()

    server.answers = [answer]
    words = ["one", "two", "three", "four"]
    asked = [[{"role": "user", "content": word}] for word in words]
    assert complete_each(load(server, retries=0), asked, jobs=2) == ["ONE", "TWO", "THREE", "FOUR"]
    assert max(most) == 2


def test_one_that_fails_leaves_the_others_alone(server):
    server.answers = ["1", (401, {}, {}), "3"]
    first, second, third = complete_each(load(server), [HELLO] * 3, jobs=1)
    assert (first, type(second), third) == ("1", BackendRefused, "3")


def test_the_client_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtra, match=r"needs openai, .*'voxplain\[llm\]'"):
        openai_compatible.load(model="tiny")


def test_a_real_server_answers(serving, bigram):
    llm = openai_compatible.load(model=str(bigram.folder), base_url=serving)
    (role,) = segment("I cried.", llm=llm)
    assert (role.kind, role.start, role.end) == ("expressive", 0, 8)
    with pytest.raises(BadReply, match=r"does not fit at \$: 'mood' is a required property"):
        llm.complete(HELLO, schema={**SCHEMA, "additionalProperties": True})


def test_a_real_server_refuses_a_model_that_it_does_not_have(serving):
    llm = openai_compatible.load(model="another", base_url=serving)
    with pytest.raises(BackendRefused, match=r"another at .* refused: .*pinned to"):
        llm.complete(HELLO)
