"""Vectors of texts: means of the states of the right pieces, whatever else is in the batch."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer, T5Config, T5Model

from voxplain import backbones
from voxplain.errors import ArtifactError, WeightsMissing
from voxplain.models.text_encoder import TextEncoder
from voxplain.testing.checkpoints import TEXT_ENCODERS, save_text_encoder
from voxplain.text.semantics import Semantics

TEXT = "Oh dear, not again! I can't."
SAID = Semantics(TEXT, ((3, 7), (13, 18)), "It sounds tired.")  # dear, again
LES, GS, ES = range(3)


@pytest.fixture(scope="module", params=TEXT_ENCODERS)
def folder(request, tmp_path_factory):
    """Of an encoder whose tokens are letters."""
    return save_text_encoder(tmp_path_factory.mktemp("texts") / request.param, request.param)


@pytest.fixture(scope="module")
def encoder(folder):
    return TextEncoder(folder)


@pytest.fixture(scope="module")
def states(folder):
    """Its last states (pieces, width) of a text, and the letter that each piece stands for."""
    tokenizer, network = (one.from_pretrained(folder) for one in (AutoTokenizer, AutoModel))

    @torch.inference_mode()
    def encoded(text):
        ids = tokenizer(text)["input_ids"]
        letters = [one.removeprefix("##") for one in tokenizer.convert_ids_to_tokens(ids)]
        return network.eval()(torch.tensor([ids])).last_hidden_state[0].numpy(), letters

    return encoded


def of_words(letters, *words):
    """The pieces of words that occur once in a row of letters, by looking for them."""
    joined = "".join(one if len(one) == 1 else "·" for one in letters)
    assert all(joined.count(word) == 1 for word in words)
    return [joined.index(word) + place for word in words for place in range(len(word))]


def test_each_branch_is_the_mean_of_its_pieces(encoder, states):
    vectors, there = encoder.vectors([SAID])
    assert vectors.shape == (1, 3, encoder.width) == (1, 3, 16)
    assert vectors.dtype == np.float32
    assert there.tolist() == [[True] * 3]
    whole, letters = states(TEXT)
    assert vectors[0, GS] == pytest.approx(whole.mean(0), abs=1e-5)
    assert vectors[0, ES] == pytest.approx(states("It sounds tired.")[0].mean(0), abs=1e-5)
    rows = of_words(letters, "dear", "again")
    assert vectors[0, LES] == pytest.approx(whole[rows].mean(0), abs=1e-5)


def test_isolated_words_are_a_text_of_their_own(encoder, states):
    alone, there = encoder.vectors([SAID], isolated=True)
    within, _ = encoder.vectors([SAID])
    assert there.all()
    assert alone[0, LES] == pytest.approx(states("dear again")[0].mean(0), abs=1e-5)
    assert abs(alone[0, LES] - within[0, LES]).max() > 0.01
    np.testing.assert_allclose(alone[0, 1:], within[0, 1:], atol=1e-5)


def test_a_word_means_something_else_in_another_text(encoder):
    here, other = "no, not again", "well, not again"
    (one, two), _ = encoder.vectors(
        [Semantics(text, ((text.index("again"), len(text)),), "") for text in (here, other)]
    )
    assert abs(one[LES] - two[LES]).max() > 0.01


def test_company_changes_nothing_but_rounding(encoder):
    draw = np.random.default_rng(0)
    texts = [" ".join(draw.choice(["no", "oh", "again", "tomorrow", "I"], n)) for n in range(1, 40)]
    many = [Semantics(text, ((0, len(text.split()[0])),), text[::-1]) for text in texts] + [SAID]
    together, _ = encoder.vectors(many)
    for row in (0, 20, 39):
        alone, _ = encoder.vectors([many[row]])
        np.testing.assert_allclose(together[row], alone[0], atol=1e-5)
    backwards, _ = encoder.vectors(many[::-1])
    np.testing.assert_allclose(backwards[::-1], together, atol=1e-5)


@pytest.mark.parametrize("isolated", [True, False])
def test_what_is_missing_is_zeros(encoder, isolated):
    found = [
        Semantics("", (), ""),
        Semantics("Oh no.", (), ""),
        Semantics("", (), "It sounds tired."),
        Semantics("Oh no.", ((3, 5),), " "),
    ]
    vectors, there = encoder.vectors(found, isolated=isolated)
    assert there.tolist() == [
        [False, False, False], [False, True, False], [False, False, True], [True, True, False]
    ]  # fmt: skip
    assert not vectors[~there].any()
    assert all(row.any() for row in vectors[there])
    assert [one.shape for one in encoder.vectors([])] == [(0, 3, 16), (0, 3)]


def test_a_long_text_is_read_as_far_as_the_encoder_takes_it(encoder, states):
    """512 pieces of a letter each, two of which are the marks of beginning and end."""
    text = f"no {'so ' * 400}again"
    assert len(text.replace(" ", "")) > 510
    found = [Semantics(text, ((0, 2),), ""), Semantics(text, ((len(text) - 5, len(text)),), "")]
    (early, late), there = encoder.vectors(found)
    assert there.tolist() == [[True, True, False], [False, True, False]]
    assert not late[LES].any()
    assert early[LES].any()
    assert encoder.vectors(found[1:], isolated=True)[1].tolist() == [[True, True, False]]


def test_it_says_what_it_is(encoder, folder, tmp_path):
    assert encoder.name == folder.name
    assert encoder.sha256 == backbones.digest(folder)
    assert TextEncoder(str(folder)).sha256 == encoder.sha256
    assert TextEncoder(save_text_encoder(tmp_path / "b", seed=1)).sha256 != encoder.sha256


def test_a_text_encoder_that_was_pulled_is_known_by_its_id(folder, monkeypatch, tmp_path):
    hub = tmp_path / "models--me--tiny"
    (hub / "refs").mkdir(parents=True)
    (hub / "refs/main").write_text("a" * 40)
    shutil.copytree(folder, hub / "snapshots" / ("a" * 40))
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub._snapshot_download.constants, "HF_HUB_CACHE", str(tmp_path))
    found = TextEncoder("me/tiny")
    assert found.name == "me/tiny"
    assert found.vectors([SAID])[1].all()


def test_what_was_never_pulled_is_told():
    with pytest.raises(WeightsMissing, match="voxplain models pull nobody/nothing"):
        TextEncoder("nobody/nothing")


@pytest.fixture
def broken(tmp_path):
    """A copy of a checkpoint that can be spoilt."""
    return save_text_encoder(tmp_path / "broken")


def without(folder, *prefixes):
    weights = load_file(folder / "model.safetensors")
    kept = {name: one for name, one in weights.items() if not name.startswith(prefixes)}
    assert len(kept) < len(weights)
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})


def test_the_layer_that_sums_up_may_lack(broken):
    before, _ = TextEncoder(broken).vectors([SAID])
    without(broken, "pooler")
    np.testing.assert_array_equal(TextEncoder(broken).vectors([SAID])[0], before)


def test_other_weights_may_not(broken):
    without(broken, "encoder.layer.1")
    with pytest.raises(
        WeightsMissing, match=r"broken lacks 16 weights of the encoder, first 'encoder\.layer\.1\."
    ):
        TextEncoder(broken)


def test_pickles_are_not_opened(broken):
    torch.save(load_file(broken / "model.safetensors"), broken / "pytorch_model.bin")
    (broken / "model.safetensors").unlink()
    with pytest.raises(WeightsMissing, match=r"pytorch_model\.bin, a pickle"):
        TextEncoder(broken)


def test_code_of_its_own_is_not_run(broken):
    config = json.loads((broken / "config.json").read_text())
    config["auto_map"] = {"AutoModel": "evil.Model"}
    (broken / "config.json").write_text(json.dumps(config))
    with pytest.raises(ArtifactError, match="asks for code of its own"):
        TextEncoder(broken)


def test_a_checkpoint_that_is_none(broken):
    for file in broken.glob("tokenizer*"):
        file.write_text("{")
    with pytest.raises(ArtifactError, match=r"broken can't be loaded: .*with its tokenizer"):
        TextEncoder(broken)


def test_what_writes_texts_is_no_encoder(broken):
    config = T5Config(
        d_model=16, d_kv=8, d_ff=24, num_layers=1, num_heads=2, vocab_size=99,
        decoder_start_token_id=0,
    )  # fmt: skip
    T5Model(config).save_pretrained(broken)
    with pytest.raises(ArtifactError, match="is no encoder whose tokenizer knows where"):
        TextEncoder(broken)
