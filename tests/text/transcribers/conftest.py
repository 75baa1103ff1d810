"""A small random Whisper as ``save_pretrained`` leaves it: two languages, a few tokens."""

import pytest

SPECIAL = (
    "<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>",
    "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
)  # fmt: skip


@pytest.fixture(scope="session")
def tiny_whisper(tmp_path_factory):
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    from tokenizers.pre_tokenizers import ByteLevel

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny-whisper"
    vocabulary = {char: n for n, char in enumerate(sorted(ByteLevel.alphabet()))}
    merges = [("b", "e"), ("Ġ", "be"), ("c", "o"), ("Ġ", "co"), ("l", "d")]
    for pair in merges:
        vocabulary["".join(pair)] = len(vocabulary)
    vocabulary[SPECIAL[0]] = len(vocabulary)
    tokenizer = transformers.WhisperTokenizer(vocab=vocabulary, merges=merges)
    tokenizer.add_tokens([transformers.AddedToken(name, special=True) for name in SPECIAL[1:]])
    tokenizer.add_tokens([f"<|{0.02 * n:.2f}|>" for n in range(1501)])
    end, start, en, de, translate, transcribe, _, before, _, timeless = (
        tokenizer.convert_tokens_to_ids(name) for name in SPECIAL
    )
    sizes = {"d_model": 16, "vocab_size": len(tokenizer)}
    for side in ("encoder", "decoder"):
        sizes |= {f"{side}_layers": 2, f"{side}_attention_heads": 2, f"{side}_ffn_dim": 32}
    ends = dict.fromkeys(("eos_token_id", "bos_token_id", "pad_token_id"), end)
    config = transformers.WhisperConfig(**sizes, **ends, decoder_start_token_id=start)
    model = transformers.WhisperForConditionalGeneration(config).eval()
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    model.generation_config = transformers.GenerationConfig(
        **ends,
        decoder_start_token_id=start,
        alignment_heads=[[0, 0], [1, 0], [1, 1]],
        is_multilingual=True,
        lang_to_id={"<|en|>": en, "<|de|>": de},
        task_to_id={"transcribe": transcribe, "translate": translate},
        no_timestamps_token_id=timeless,
        prev_sot_token_id=before,
        max_initial_timestamp_index=50,
        max_length=16,
        suppress_tokens=[],
        begin_suppress_tokens=[end],
        return_timestamps=False,
    )
    model.save_pretrained(folder)
    extractor = transformers.WhisperFeatureExtractor()
    transformers.WhisperProcessor(extractor, tokenizer).save_pretrained(folder)
    extractor.save_pretrained(folder)
    return folder
