"""Foreign checkpoints: the numbers of transformers itself, and no number where any is in doubt."""

import numpy as np
import pytest
import torch
import transformers
from safetensors.numpy import load_file

from voxplain.audio.read import read
from voxplain.errors import ArtifactError, ConfigError, HeadNotLoaded, WeightsMissing
from voxplain.models.formats.transformers import load
from voxplain.models.judgement import judge

# As the labels of the checkpoints (conftest) are called here.
NAMES = {
    "dense": ("angry", "calm", "disgust", "fear", "happy", "neutral", "sad", "surprise"),
    "superb": ("neutral", "happy", "angry", "sad"),
    "wavlm": ("contempt", "excited", "frustrated"),
    "whisper": ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"),
}


def prepared(folder, waveform):
    """What the checkpoint's own preprocessor makes of a waveform."""
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    made = extractor(waveform, sampling_rate=16_000, return_tensors="pt")
    return made["input_features" if "input_features" in made else "input_values"]


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum()


@pytest.mark.parametrize("head", ["superb", "wavlm", "whisper"])
def test_the_numbers_are_those_of_transformers(checkpoints, clips, head):
    folder, network = checkpoints(head)
    model = load(folder)
    found = []
    for clip in clips[:3]:
        audio = read(clip)
        with torch.inference_mode():
            (expected,) = network(prepared(folder, audio.waveform)).logits.numpy()
        found.append(model.embed(audio).frames[0])
        np.testing.assert_allclose(found[-1], expected, atol=1e-5)
        emotion = judge(model.read(model.embed(audio)), model.calibration)
        kept = len(NAMES[head])  # without other, which comes last
        assert tuple(emotion.categories) == emotion.label_set == NAMES[head]
        np.testing.assert_allclose(
            list(emotion.categories.values()), softmax(expected[:kept]), atol=1e-5
        )
        assert emotion.verdict.labels == (NAMES[head][int(np.argmax(expected[:kept]))],)
        assert (dict(emotion.perceived), emotion.dimensions) == ({}, None)
    assert np.ptp(found, axis=0).max() > 1e-3  # or the test would show little


def test_whisper_hears_30_s_and_no_more(checkpoints, clips):
    folder, network = checkpoints("whisper")
    long = np.tile(read(clips[0]).waveform, 20)[: 33 * 16_000]
    with torch.inference_mode():
        (expected,) = network(prepared(folder, long)).logits.numpy()
    run = load(folder).run
    np.testing.assert_allclose(run(long), expected, atol=1e-5)
    np.testing.assert_allclose(run(long), run(long[: 30 * 16_000]), atol=1e-6)


@pytest.mark.parametrize(("head", "last"), [("regression", "out_proj"), ("dense", "output")])
def test_the_head_that_transformers_has_no_class_for(checkpoints, clips, head, last):
    folder, encoder = checkpoints(head)
    tensors, audio = load_file(folder / "model.safetensors"), read(clips[0])
    with torch.inference_mode():
        states = encoder(prepared(folder, audio.waveform)).last_hidden_state[0].numpy()
    pooled = states.mean(0)
    for layer, then in (("dense", np.tanh), (last, lambda x: x)):
        weight, bias = (tensors[f"classifier.{layer}.{part}"] for part in ("weight", "bias"))
        pooled = then(weight @ pooled + bias)
    np.testing.assert_allclose(load(folder).embed(audio).frames[0], pooled, atol=1e-5)


def test_dimensions_go_by_name_and_not_by_place(checkpoints, clips):
    model, audio = load(checkpoints("regression")[0]), read(clips[0])
    arousal, dominance, valence = model.embed(audio).frames[0]
    emotion = judge(model.read(model.embed(audio)), model.calibration)
    found = emotion.dimensions
    assert found.valence.value == pytest.approx(np.clip(valence, 0, 1))
    assert found.arousal.value == pytest.approx(np.clip(arousal, 0, 1))
    assert found.dominance.value == pytest.approx(np.clip(dominance, 0, 1))
    assert {(one.low, one.high) for one in (found.valence, found.arousal, found.dominance)} == {
        (0.0, 1.0)
    }
    assert found.proxy == ""
    assert (dict(emotion.categories), emotion.label_set) == ({}, ())
    assert emotion.verdict.reason == "the model gives no categories"


def test_a_scale_is_stated_and_held_to(damaged, clips):
    folder, audio = damaged("regression"), read(clips[0])
    plain = load(folder)
    (folder / "voxplain.yaml").write_text("scale: [-1, 3]")
    told = load(folder)
    before, after = (one.read(one.embed(audio)).dimensions[:, 1] for one in (plain, told))
    np.testing.assert_allclose(after, (before + 1) / 4, atol=1e-6)
    assert told.sha256 != plain.sha256
    (folder / "voxplain.yaml").write_text("scale: [5, 7]")
    with pytest.raises(ArtifactError, match=r"valence .* can't be on a scale from 5 to 7; .*scale"):
        load(folder).read(load(folder).embed(audio))


def test_labels_are_stated_where_the_checkpoint_has_none(damaged, clips):
    folder = damaged("superb", id2label=None, label2id=None)
    with pytest.raises(HeadNotLoaded, match=r"no id2label.*say it in .*voxplain\.yaml, such as"):
        load(folder)
    (folder / "voxplain.yaml").write_text("labels: [sad, ang, hap, neu]\ntemperature: 0.1")
    model, audio = load(folder), read(clips[0])
    logits = model.embed(audio).frames[0]
    emotion = judge(model.read(model.embed(audio)), model.calibration)
    assert tuple(emotion.categories) == ("sad", "angry", "happy", "neutral")
    np.testing.assert_allclose(list(emotion.categories.values()), softmax(logits / 0.1), atol=1e-6)
    assert model.notes == ()
    ranked = sorted(emotion.categories.values(), reverse=True)
    assert len(emotion.verdict.labels) == 1 + sum(np.cumsum(ranked) < 0.9)


def test_what_is_not_calibrated_says_so(checkpoints):
    assert load(checkpoints("superb")[0]).notes == (
        "the probabilities of superb are not calibrated: the verdict is the label on top",
    )
    assert load(checkpoints("wavlm")[0]).notes[1] == (
        "wavlm has outputs that are no emotion; its probabilities are among the others"
    )
    assert load(checkpoints("regression")[0]).notes == (
        "regression gives dimensions without intervals: 0 to 1 stands for nothing known",
    )


def test_the_name_of_what_lies_in_the_hubs_cache(checkpoints, tmp_path):
    place = tmp_path / "models--superb--hubert-large-superb-er/snapshots/0a1b"
    place.parent.mkdir(parents=True)
    place.symlink_to(checkpoints("superb")[0])
    assert load(place).name == "superb/hubert-large-superb-er"


@pytest.mark.parametrize(
    ("head", "missing"),
    [
        ("superb", "classifier.bias"),
        ("superb", "projector.weight"),
        ("superb", "layer_weights"),
        ("superb", "hubert.encoder.layers.1.final_layer_norm.weight"),
        ("whisper", "projector.bias"),
        ("regression", "classifier.dense.bias"),
        ("dense", "classifier.output.bias"),
    ],
)
def test_a_head_that_is_not_whole(damaged, head, missing):
    folder = damaged(head, tensors={missing: None})
    with pytest.raises(HeadNotLoaded, match=rf"lacks {missing}, which would be drawn at random"):
        load(folder)


def test_an_encoder_has_no_head(damaged):
    folder = damaged("superb", tensors={"classifier.weight": None, "classifier.bias": None})
    with pytest.raises(HeadNotLoaded, match=r"has no head: .*random.*voxplain train"):
        load(folder)


@pytest.mark.parametrize("head", ["superb", "dense"])
def test_a_head_with_more_than_is_known(damaged, head):
    folder = damaged(head, tensors={"pool.attention.weight": np.ones((1, 8), np.float32)})
    with pytest.raises(HeadNotLoaded, match=r"holds pool\.attention\.weight, for which the head"):
        load(folder)


def test_what_pretraining_left_is_no_matter(damaged, checkpoints, clips):
    more = {"lm_head.weight": np.ones((3, 16), np.float32), "hubert.masked_spec_embed": None}
    found = load(damaged("superb", tensors=more))
    expected = load(checkpoints("superb")[0])
    waveform = read(clips[0]).waveform
    np.testing.assert_allclose(found.run(waveform), expected.run(waveform), atol=1e-6)


ORDER = {"0": "neu", "1": "hap", "2": "ang", "3": "sad"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"label2id": {"neu": 3, "hap": 1, "ang": 2, "sad": 0}}, r"output 3 is 'sad' in id2label "
         r"and 'neu' in label2id"),
        ({"id2label": {str(n): f"LABEL_{n}" for n in range(4)}}, r"LABEL_0.*: what the output"),
        ({"id2label": {**ORDER, "3": "hungry"}}, r"unknown emotion label 'hungry'"),
        ({"id2label": {**ORDER, "3": "anger"}}, r"name angry twice"),
        ({"id2label": {**ORDER, "2": "arousal", "3": "valence"}}, "valence and arousal, but"),
        ({"id2label": {"1": "neu", "2": "hap", "3": "ang", "4": "sad"}}, r"numbers .*\['1', '2'"),
        ({"id2label": {"neu": 0, "hap": 1, "ang": 2, "sad": 3}}, r"numbers .*'neu', 'hap'"),
        ({"id2label": {**ORDER, "4": "fear"}}, r"names 5 outputs, but its head has 4"),
        ({"id2label": {"0": "neu", "1": "oth", "2": "unk", "3": "xxx"}}, r"no choice"),
    ],
)  # fmt: skip
def test_labels_that_are_not_sure(damaged, changes, said):
    folder = damaged("superb", **{"label2id": None, **changes})
    with pytest.raises(HeadNotLoaded, match=rf"{said}[\s\S]*voxplain\.yaml"):
        load(folder)


def test_a_pickle_is_never_opened(damaged):
    folder = damaged("superb")
    (folder / "model.safetensors").unlink()
    with pytest.raises(WeightsMissing, match="holds no weights"):
        load(folder)
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(ArtifactError, match=r"pytorch_model\.bin, a pickle.*convert it"):
        load(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"auto_map": {"AutoModel": "modeling.Model"}}, "asks for code of its own"),
        ({"model_type": "audio-spectrogram-transformer"}, "heads are read on data2vec-audio"),
        ({"problem_type": "multi_label_classification"}, "several labels at once"),
        ({"pooling_mode": "max"}, "only 'mean' over time is read"),
        ({"file": "preprocessor_config.json", "sampling_rate": 8000}, "sampling_rate 8000, but"),
        ({"hidden_size": 32}, "can't be loaded: .*config.json and weights from the same"),
    ],
)
def test_what_can_not_be_read_as_it_was_meant(damaged, changes, said):
    with pytest.raises(ArtifactError, match=said):
        load(damaged("superb", **changes))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("labls: [sad]", "unknown key 'labls'.*Did you mean 'labels'"),
        ("scale: [7, 1]", r"scale must be \[lowest, highest\], not \[7\.0, 1\.0\]"),
        ("temperature: 0", "temperature must be above 0, not 0"),
        ("labels: [sad, hungry, calm, fear]", "voxplain.yaml names an output .*'hungry'"),
    ],
)
def test_a_wrong_sidecar(damaged, text, said):
    folder = damaged("superb")
    (folder / "voxplain.yaml").write_text(text)
    with pytest.raises((ConfigError, HeadNotLoaded), match=said):
        load(folder)
