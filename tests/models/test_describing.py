"""The network that speaks, in numpy: the same as in torch."""

import numpy as np
import pytest
import torch

from voxplain.models import decoder
from voxplain.models.byte_pairs import BytePairs
from voxplain.models.describing import Decoder, Describer, Shape
from voxplain.models.vib_sed import INSTRUCTIONS, VibSed

LABELS = ("angry", "happy", "sad")
WORDS = ["It's", "eleven", "o'clock."]
DEPTH, WIDTH = 3, 12


def made(seed, **options):
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
    return network, Describer(weights, labels=LABELS, **told)


@pytest.mark.parametrize(
    "options", [{}, {"compression": "none"}, {"disentangled": False}], ids=["vib", "none", "one"]
)
@pytest.mark.parametrize("frames", [1, 20])
def test_it_says_what_the_network_says(options, frames):
    for seed in range(3):
        network, describer = made(seed, **options)
        states = torch.randn(DEPTH, frames, WIDTH, generator=torch.Generator().manual_seed(seed))
        (wanted,) = network.describe(
            states[:, None], torch.ones(1, frames, dtype=torch.bool), words=[WORDS], labels=LABELS
        )
        found = describer.describe(states.numpy(), words=WORDS)
        assert found.description == wanted.description
        assert found.probabilities.keys() == wanted.probabilities.keys()
        for slot, chances in wanted.probabilities.items():
            assert found.probabilities[slot] == pytest.approx(chances, abs=1e-4)


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
