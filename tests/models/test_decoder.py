"""Decoders made from scratch, and those of others: kept, loaded, adapted, measured."""

import json
import re
import sys

import pytest
import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    HubertConfig,
    LlamaConfig,
    LlamaForCausalLM,
)

from voxplain.errors import ArtifactError, ConfigError, MissingExtra, UnknownName, WeightsMissing
from voxplain.models.decoder import GPUS, SIZES, Memory, build, load, memory

TEXTS = ["pitch high, range wide: sounds angry", "It's eleven o'clock."]
GIB = 2**30


@pytest.fixture(scope="module")
def made():
    torch.manual_seed(0)
    return build(TEXTS, size="0.5M")


@pytest.fixture(scope="module")
def tiny(made, tmp_path_factory):
    """A folder with a random model that is smaller still."""
    folder = tmp_path_factory.mktemp("llms") / "tiny"
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=len(made.tokenizer), num_attention_heads=2, **sizes)
    LlamaForCausalLM(config).save_pretrained(folder)
    made.tokenizer.save_pretrained(folder)
    return folder


def logits(llm):
    with torch.no_grad():
        return llm(torch.tensor([[0, 5, 250, 7]])).logits


@pytest.mark.parametrize("size", SIZES)
def test_a_decoder_has_the_size_it_is_called_by(size):
    """With a full vocabulary of 1,024 tokens."""
    texts = [f"{n:03d} {n * 7919 % 9973:04d}" for n in range(1000)]
    decoder = build(texts, size=size)
    assert len(decoder.tokenizer) == decoder.llm.config.vocab_size == 1024
    assert decoder.llm.num_parameters() == pytest.approx(float(size[:-1]) * 1e6, rel=0.05)


def test_it_is_a_small_llama_with_tied_embeddings(made):
    assert made.llm.config.model_type == "llama"
    assert made.llm.get_output_embeddings().weight is made.llm.get_input_embeddings().weight


def test_it_has_signs_for_beginning_end_and_filling(made):
    tokenizer, config = made.tokenizer, made.llm.config
    signs = [tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id]
    assert signs == [config.bos_token_id, config.eos_token_id, config.pad_token_id] == [0, 1, 2]


def test_the_words_of_its_texts_are_tokens_and_nothing_is_unknown(made):
    cut = made.tokenizer.tokenize
    assert cut(" angry") == ["Ġangry"]
    assert cut(", range") == [",", "Ġrange"]
    for text in ("It's eleven", "日本, ñandú!", " two  spaces "):
        tokens = made.tokenizer(text, add_special_tokens=False)["input_ids"]
        assert made.tokenizer.decode(tokens) == text


def test_one_seed_gives_one_decoder(made):
    torch.manual_seed(0)
    again = build(iter(TEXTS), size="0.5M")
    assert again.tokenizer.get_vocab() == made.tokenizer.get_vocab()
    assert torch.equal(logits(again.llm), logits(made.llm))


def test_it_is_kept_as_an_ordinary_folder(made, tmp_path):
    made.llm.save_pretrained(tmp_path)
    made.tokenizer.save_pretrained(tmp_path)
    assert not [*tmp_path.glob("*.bin"), *tmp_path.glob("*.pt")]
    found = load(tmp_path)
    assert torch.equal(logits(found.llm), logits(made.llm))
    assert found.tokenizer.get_vocab() == made.tokenizer.get_vocab()
    assert found.tokenizer.eos_token_id == 1


def test_lora_is_put_into_the_attention_and_the_rest_is_frozen(tiny):
    plain, found = load(str(tiny)).llm, load(tiny, lora={"r": 2}).llm
    torch.testing.assert_close(logits(found), logits(plain))  # it begins as nothing
    learned = {name for name, weight in found.named_parameters() if weight.requires_grad}
    places = {re.search(r"layers\.(\d)\..*\.(\w)_proj", name).groups() for name in learned}
    assert places == {(layer, place) for layer in "01" for place in "qkvo"}
    assert all("lora_" in name for name in learned)
    assert len(learned) == 2 * 4 * 2


def test_lora_is_learned_in_single_precision(tiny, tmp_path):
    half = load(tiny)
    half.llm.bfloat16().save_pretrained(tmp_path)
    half.tokenizer.save_pretrained(tmp_path)
    found = load(tmp_path, lora={"r": 2, "target_modules": ["q_proj"]}).llm
    kinds = {(weight.requires_grad, weight.dtype) for weight in found.parameters()}
    assert kinds == {(True, torch.float32), (False, torch.bfloat16)}
    assert logits(found).dtype == torch.bfloat16


def test_what_lora_has_learned_is_kept_beside_the_base(tiny, tmp_path):
    taught = load(tiny, lora={"r": 2, "init_lora_weights": False})
    taught.llm.save_pretrained(tmp_path)
    taught.tokenizer.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "adapter_config.json").read_text(encoding="utf-8"))["r"] == 2
    found = load(tmp_path).llm
    torch.testing.assert_close(logits(found), logits(taught.llm))
    assert not torch.allclose(logits(found), logits(load(tiny).llm))


@pytest.mark.parametrize(
    ("lora", "message"),
    [
        ({"rank": 2}, r"LoRA can't be put in with \{'rank': 2\}.*give options of peft.LoraConfig"),
        ({"target_modules": ["c_attn"]}, r"\['c_attn'\].*target_modules layers that the LLM has"),
    ],
)
def test_lora_that_does_not_fit_is_refused(tiny, lora, message):
    with pytest.raises(ConfigError, match=message):
        load(tiny, lora=lora)


def test_any_causal_model_is_loaded(made, tmp_path):
    signs = {"bos_token_id": 0, "eos_token_id": 1}
    config = GPT2Config(vocab_size=len(made.tokenizer), n_embd=8, n_layer=1, n_head=1, **signs)
    other = GPT2LMHeadModel(config)
    other.save_pretrained(tmp_path)
    made.tokenizer.save_pretrained(tmp_path)
    torch.testing.assert_close(logits(load(tmp_path).llm), logits(other.eval()))


def test_a_model_that_is_not_there():
    with pytest.raises(WeightsMissing, match=r"nobody/nothing is neither .*hf download nobody/not"):
        load("nobody/nothing")


def test_pickles_are_not_read(tiny, tmp_path):
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((tiny / name).read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(WeightsMissing, match="neither a folder with a model in safetensors"):
        load(tmp_path)


def test_code_of_a_model_is_not_run(tiny, tmp_path):
    for part in tiny.iterdir():
        (tmp_path / part.name).write_bytes(part.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "own", "auto_map": {"AutoModelForCausalLM": "own.Model"}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "own.py").write_text("raise SystemExit('it was run')", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"can't be run: .*without code of its own"):
        load(tmp_path)


def test_four_bits_need_a_gpu(tiny, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="four_bit needs a CUDA GPU, and there is none"):
        load(tiny, four_bit=True)


def test_four_bits_need_bitsandbytes(tiny, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(MissingExtra, match="needs bitsandbytes"):
        load(tiny, four_bit=True)


def test_a_decoder_needs_texts_and_a_size():
    with pytest.raises(ConfigError, match="no texts to learn a tokenizer from; give those of"):
        build(["", " "], size="2M")
    with pytest.raises(UnknownName, match=r"unknown size '3M'; available: 0\.5M, 10M, 2M"):
        build(TEXTS, size="3M")


# The memory of the published network: HuBERT-large and Llama-3.1-8B

LLAMA = LlamaConfig(
    vocab_size=128256, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32,
    num_attention_heads=32, num_key_value_heads=8, max_position_embeddings=131072,
)  # fmt: skip
HUBERT = HubertConfig(
    hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096,
    do_stable_layer_norm=True, feat_extract_norm="layer", conv_bias=True,
)  # fmt: skip
IN_LAYERS = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336)
LLAMA_WEIGHTS = 8_030_261_248  # as its card says: 8.03 B
LORA = 32 * 16 * (2 * (4096 + 4096) + 2 * (4096 + 1024))
BLOCK = 25 + 1024 * 256 + 256 + 256 * 256 + 256
ADAPTER = 5 * 128 * 4096 + 4096 + 4096 * 4096 + 4096


@pytest.fixture(scope="module")
def plain():
    return memory(LLAMA, HUBERT, lora={"r": 16})


def test_weights_are_those_of_all_three_parts(plain):
    between = 2 * 4 * (BLOCK + ADAPTER)
    encoder = plain.weights - 2 * LLAMA_WEIGHTS - between
    assert encoder / 4 == pytest.approx(316e6, rel=0.005)  # Hsu et al. 2021: 316 M
    assert plain.lora == 4 * LORA
    assert plain.gradients == 4 * LORA + between
    assert plain.optimiser == 2 * plain.gradients
    assert plain.total == plain.weights + 4 * LORA + 3 * plain.gradients + plain.activations


def test_four_bits_are_those_of_the_layers(plain):
    found = memory(LLAMA, HUBERT, lora={"r": 16}, four_bit=True)
    # 4 bits a weight, and of each 64 a constant of 8 bits, of each 256 of these one of 32 bits.
    saved = IN_LAYERS * (2 - (4 + 8 / 64 + 32 / (64 * 256)) / 8)
    assert plain.weights - found.weights == pytest.approx(saved, rel=1e-4)
    assert found.activations == plain.activations
    assert found.gpu == "RTX 3060 (12 GiB)"
    assert plain.gpu == "RTX 4090 (24 GiB)"


def test_activations_are_about_what_transformers_take(plain):
    """34 s b h + 5 a s^2 b bytes a layer (Korthikanti et al. 2022), and the logits."""
    s, h = 2 * 500 // 5 + 128, 4096
    expected = 32 * (34 * s * h + 5 * 32 * s**2) + s * 128256 * 2
    assert 0.8 < plain.activations / expected < 1.5


def test_activations_grow_with_the_batch():
    small = LlamaConfig(
        hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2
    )
    hubert = HubertConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2)
    one, four = (memory(small, hubert, batch=n) for n in (1, 4))
    assert 3.9 < four.activations / one.activations < 4.0  # the layers' weights count once
    assert (four.weights, four.gradients) == (one.weights, one.gradients)
    assert one.lora == 0


def test_all_of_an_llm_is_learned_without_lora():
    small = LlamaConfig(
        hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
        vocab_size=100, tie_word_embeddings=True,
    )  # fmt: skip
    hubert = HubertConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2)
    found = memory(small, hubert, latent=3, hidden=5, stack=2)
    llm = 100 * 16 + 2 * (4 * 16 * 16 + 3 * 16 * 24 + 2 * 16) + 16
    block = 3 + 16 * 5 + 5 + 5 * 6 + 6
    adapter = 2 * 3 * 16 + 16 + 16 * 16 + 16
    assert found.gradients == 2 * llm + 2 * 4 * (block + adapter)


def test_the_smallest_gpu_that_holds_it_is_named():
    sizes = list(GPUS.values())
    assert sizes == sorted(sizes)

    def needed(total):
        return Memory(weights=total, lora=0, gradients=0, optimiser=0, activations=0).gpu

    assert needed(int(0.9 * 12 * GIB)) == "RTX 3060 (12 GiB)"
    assert needed(int(0.9 * 12 * GIB) + 1) == "T4 (16 GiB)"
    assert needed(int(0.9 * 141 * GIB)) == "H200 (141 GiB)"
    assert needed(141 * GIB) == ""
