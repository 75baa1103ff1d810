"""What every encoder promises, held to random checkpoints of every kind that is known."""

import pytest

from voxplain import plugins
from voxplain.backbones import Card
from voxplain.testing.backbones import CHECKS, tiny_checkpoint

OTHERS = ("data2vec-audio", "unispeech-sat", "wav2vec2-bert")
"""Which no file claims."""
FLAVOURS = {  # of the convolutions and the norms: base models and large ones
    "group": {"feat_extract_norm": "group", "normalised": False},
    "layer": {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True},
}
CARDS = {name: plugins.find("backbones", name).CARD for name in plugins.names("backbones")}
CASES = [
    (name, model_type, flavour)
    for name, card in CARDS.items()
    if card.trainable
    for model_type in card.model_types or OTHERS
    for flavour in (FLAVOURS if model_type in ("hubert", "wav2vec2", "wavlm") else [""])
]


@pytest.mark.parametrize("name", CARDS)
def test_every_backbone_has_a_card_and_a_loader(name):
    assert isinstance(CARDS[name], Card)
    assert callable(plugins.find("backbones", name).load)
    assert [key for key, card in CARDS.items() if not card.trainable] == ["embedded"]


def test_no_two_claim_the_same_models():
    claimed = [model_type for card in CARDS.values() for model_type in card.model_types]
    assert len(claimed) == len(set(claimed))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    made = {}

    def make(model_type, flavour):
        if (model_type, flavour) not in made:
            place = tmp_path_factory.mktemp(f"{model_type}_{flavour}")
            made[model_type, flavour] = tiny_checkpoint(
                place, model_type, **FLAVOURS.get(flavour, {})
            )
        return made[model_type, flavour]

    return make


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(("name", "model_type", "flavour"), CASES)
def test_every_trainable_backbone_keeps_to_the_contract(
    name, model_type, flavour, check, checkpoint
):
    check(plugins.find("backbones", name), checkpoint(model_type, flavour))
