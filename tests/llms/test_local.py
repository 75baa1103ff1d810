"""A model in this process: what it says and how likely, against a table that is known."""

import json
import sys

import numpy as np
import pytest

from voxplain.errors import ArtifactError, BackendRefused, BadReply, MissingExtra, WeightsMissing
from voxplain.llms import complete_each, local

HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="session")
def llm(bigram):
    return local.load(model=str(bigram.folder), device="cpu")


@pytest.fixture
def without_template(llm, monkeypatch):
    """The model without its chat template: it goes on where the text ends."""
    monkeypatch.setattr(llm._tokenizer, "chat_template", None)
    return llm


def test_it_answers_through_its_chat_template(llm):
    assert llm.name == "bigram"
    assert json.loads(llm.complete(HELLO))["parts"][0]["text"] == "I cried."


def test_an_answer_is_held_against_the_schema(llm):
    assert llm.complete(HELLO, schema={"required": ["parts"]}, max_tokens=9)
    with pytest.raises(BadReply, match="'mood' is a required property"):
        llm.complete(HELLO, schema={"required": ["mood"]})


def test_without_a_template_it_goes_on_with_the_most_likely(without_template):
    assert without_template.complete(HELLO, max_tokens=4) == "ok."


def test_a_template_that_takes_no_system_message_gets_one_question(llm, monkeypatch):
    strict = (
        "{% for message in messages %}{% if message.role != 'user' %}"
        "{{ raise_exception('System role not supported') }}{% endif %}{% endfor %}"
    )
    template = llm._tokenizer.chat_template
    monkeypatch.setattr(llm._tokenizer, "chat_template", strict + template)
    assert llm.complete([{"role": "system", "content": "be kind"}, *HELLO])


def test_half_an_answer_is_refused(without_template):
    with pytest.raises(BadReply, match=r"bigram broke off \(at most 3 tokens\); allow more"):
        without_template.complete(HELLO, max_tokens=3)


def test_likelihoods_are_those_of_the_table(without_template, bigram):
    texts = ["yes", "no", "a little more", "!"]

    def chance(text):
        steps = zip("\n" + text, text, strict=False)
        return sum(bigram.chances[bigram.number[a], bigram.number[b]] for a, b in steps)

    found = without_template.likelihoods(HELLO, texts)
    np.testing.assert_allclose(found, [chance(text) for text in texts], rtol=1e-5)


def test_all_that_may_come_next_adds_up_to_one(llm, bigram):
    single = [sign for sign in bigram.number if sign not in ("<unk>", "</s>")]
    rest = bigram.chances[bigram.number["<answer>"], [bigram.number[s] for s in ("<unk>", "</s>")]]
    total = np.exp(llm.likelihoods(HELLO, single)).sum() + np.exp(rest).sum()
    assert total == pytest.approx(1, abs=1e-6)


def test_company_does_not_change_a_likelihood(llm, bigram):
    texts = ["yes", "a little more", "no"]
    alone = [llm.likelihoods(HELLO, [text])[0] for text in texts]
    np.testing.assert_allclose(llm.likelihoods(HELLO, texts), alone, rtol=1e-6)


def test_threads_take_turns(llm):
    assert len(set(complete_each(llm, [HELLO] * 8, jobs=4))) == 1


def test_more_than_it_can_read_is_refused(llm):
    expected = r"bigram reads at most 2048 tokens, and this takes 2002 and up to 100"
    with pytest.raises(BackendRefused, match=expected):
        llm.complete([{"role": "user", "content": "x" * 2000}], max_tokens=100)


def test_a_model_that_is_not_there():
    with pytest.raises(WeightsMissing, match=r"nobody/nothing is neither .*hf download nobody/not"):
        local.load(model="nobody/nothing")


def test_pickles_are_not_read(bigram, tmp_path):
    import torch

    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((bigram.folder / name).read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(WeightsMissing, match="neither a folder with a model in safetensors"):
        local.load(model=str(tmp_path))


def test_code_of_a_model_is_not_run(bigram, tmp_path):
    for part in bigram.folder.iterdir():
        (tmp_path / part.name).write_bytes(part.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "own", "auto_map": {"AutoModelForCausalLM": "own.Model"}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "own.py").write_text("raise SystemExit('it was run')", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"can't be run: .*without code of its own"):
        local.load(model=str(tmp_path))


def test_torch_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"needs torch, .*'voxplain\[train\]'"):
        local.load(model="anything")
