"""The network that speaks, in numpy: the same as in torch."""

import numpy as np
import pytest
import torch

from voxplain.errors import ConfigError
from voxplain.models import decoder
from voxplain.models.byte_pairs import BytePairs
from voxplain.models.describing import Decoder, Describer, Shape
from voxplain.models.description import SLOTS, Description
from voxplain.models.vib_sed import INSTRUCTIONS, VibSed

LABELS = ("angry", "happy", "sad")
WORDS = ["It's", "eleven", "o'clock."]
DEPTH, WIDTH = 3, 12


def made(seed, *, temperature=1.0, middles=None, **options):
    """A network with random weights far from zero, and the same in numpy."""
    torch.manual_seed(seed)
    texts = ["pitch high, range wide: sounds angry", "It's eleven o'clock."] * 3
    tokenizer, llm = decoder.build(texts, size="0.5M")
    network = VibSed(
        llm, tokenizer, depth=DEPTH, width=WIDTH, latent=5, hidden=8, stack=3,
        usual=(torch.randn(DEPTH, WIDTH), torch.rand(DEPTH, WIDTH) + 9), **options,
    ).eval()  # fmt: skip
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.15 * torch.randn_like(weight))
    config = llm.config
    shape = Shape(
        branches=network.heard["sed"],
        stack=3,
        heads=config.num_attention_heads,
        epsilon=config.rms_norm_eps,
        theta=config.rope_parameters["rope_theta"],
        begin=tokenizer.bos_token_id,
        end=tokenizer.eos_token_id,
    )
    weights = {name: one.detach().numpy() for name, one in network.state_dict().items()}
    tokens = BytePairs.of_tokenizer(tokenizer.backend_tokenizer.to_str())
    told = {"shape": shape, "tokens": tokens, "instruction": INSTRUCTIONS["sed"]}
    told |= {"decision": INSTRUCTIONS["decide"]} if network.concept else {}
    told |= {"middles": middles or {}}
    return network, Describer(weights, labels=LABELS, temperature=temperature, **told)


def heard(network, states, *, words=WORDS, taught=SLOTS, middles=None):
    """What torch makes of one clip."""
    mask = torch.ones(1, states.shape[1], dtype=torch.bool)
    asked = {"words": [words], "labels": LABELS, "taught": taught, "middles": middles or {}}
    (found,) = network.describe(states[:, None], mask, **asked)
    return found


@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "none"}, {"disentangled": False}, {"concept": True}, {"summary": True}],
    ids=["vib", "none", "one", "concept", "summary"],
)
@pytest.mark.parametrize("frames", [1, 20])
def test_it_says_what_the_network_says(options, frames):
    for seed in range(3):
        network, describer = made(seed, **options)
        states = torch.randn(DEPTH, frames, WIDTH, generator=torch.Generator().manual_seed(seed))
        wanted = heard(network, states)
        found = describer.describe(states.numpy(), words=WORDS)
        assert found.description == wanted.description
        assert found.probabilities.keys() == wanted.probabilities.keys()
        for slot, chances in wanted.probabilities.items():
            assert found.probabilities[slot] == pytest.approx(chances, abs=1e-4)


def test_a_level_goes_by_which_way_it_leans_as_in_torch():
    """And what comes after it is read behind the word that was spoken."""
    middles = {"pitch": (-2.0, 2.0), "loudness": (-3.0, -2.0)}  # always medium, always loud
    for seed in range(3):
        network, describer = made(seed, middles=middles)
        states = torch.randn(DEPTH, 20, WIDTH, generator=torch.Generator().manual_seed(seed))
        wanted = heard(network, states, middles=middles)
        found = describer.describe(states.numpy(), words=WORDS)
        assert found.description == wanted.description
        assert found.probabilities["emotion"] == pytest.approx(
            wanted.probabilities["emotion"], abs=1e-4
        )
        assert (found.description.levels["pitch"], found.description.levels["loudness"]) == (0, 1)
        plain = heard(network, states)
        assert found.probabilities["pitch"] == pytest.approx(plain.probabilities["pitch"], abs=1e-4)


def test_without_words_nothing_is_said_of_the_stress():
    network, describer = made(0)
    states = torch.randn(DEPTH, 9, WIDTH, generator=torch.Generator().manual_seed(0))
    found = describer.describe(states.numpy())
    wanted = heard(network, states, words=[], taught=[one for one in SLOTS if one != "stress"])
    assert found.description == wanted.description
    assert found.description.emphasised is None
    assert "stress" not in found.probabilities


def test_the_temperature_softens_the_emotion_alone():
    states = torch.randn(DEPTH, 9, WIDTH, generator=torch.Generator().manual_seed(0)).numpy()
    plain, soft = (made(0, temperature=t)[1].describe(states, words=WORDS) for t in (1.0, 2.0))
    emotion = {label: chance**0.5 for label, chance in plain.probabilities["emotion"].items()}
    wanted = {label: one / sum(emotion.values()) for label, one in emotion.items()}
    assert soft.probabilities["emotion"] == pytest.approx(wanted, abs=1e-6)
    assert soft.probabilities["pitch"] == plain.probabilities["pitch"]


def test_a_concept_network_decides_from_words_alone_as_in_torch():
    network, describer = made(1, concept=True)
    low = Description({"pitch": -1, "tempo": 0}, "soft", ("eleven",), "angry")
    for one in (low, Description({"pitch": 1})):
        wanted = network.decide(one, labels=LABELS)
        assert describer.decide(one) == pytest.approx(wanted, abs=1e-5)
    with pytest.raises(ConfigError, match="there is no descriptor to decide from"):
        describer.decide(Description(label="sad"))


def test_a_network_that_hears_the_emotion_decides_nothing():
    with pytest.raises(ConfigError, match="decides from what it hears; train one with concept"):
        made(0)[1].decide(Description({"pitch": 1}))


def test_tokens_one_by_one_give_what_all_at_once_give():
    _, llm = decoder.build(["some words"], size="0.5M")
    weights = {name: one.detach().numpy() for name, one in llm.state_dict().items()}
    tokens = [3, 7, 200, 9, 9, 41]
    with torch.inference_mode():
        wanted = llm(torch.tensor([tokens])).logits[0].numpy()
    own = Decoder(weights, Shape(("content",), 1, 4, llm.config.rms_norm_eps, 10000.0, 0, 1))
    assert own.read(own.embedding[tokens])[0] == pytest.approx(wanted, abs=1e-5)
    cache, found = (), []
    for token in tokens:
        logits, cache = own.read(own.embedding[[token]], cache)
        found.append(logits[0])
    assert np.stack(found) == pytest.approx(wanted, abs=1e-5)
