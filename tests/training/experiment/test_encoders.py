"""What of an encoder learns, and that what is kept is what was learned."""

from dataclasses import replace

import pytest
import torch

from voxplain import backbones
from voxplain.errors import ConfigError
from voxplain.testing.backbones import tiny_checkpoint
from voxplain.training.experiment.encoders import deepest, merge, save_encoder, trainable
from voxplain.training.experiment.recipe import EncoderPlan, Lora

SOUND = [torch.sin(torch.arange(8000) / 20)]
FAMILIES = ("whisper", "wavlm", "hubert")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("weights")
    return {name: tiny_checkpoint(place / name, name) for name in FAMILIES}


def plan(folders, family, **changes):
    return replace(EncoderPlan(str(folders[family]), tune="lora", lora=Lora(rank=2)), **changes)


def learning(encoder):
    return {name for name, one in encoder.named_parameters() if one.requires_grad}


@pytest.mark.parametrize("family", FAMILIES)
def test_of_an_adapted_encoder_the_adapters_alone_learn(folders, family):
    encoder = trainable(plan(folders, family))
    assert all("lora_" in name for name in learning(encoder))
    assert len(learning(encoder)) == 3 * 2 * 2  # layers, projections, matrices


@pytest.mark.parametrize("family", FAMILIES)
def test_adapters_begin_as_nothing_and_stay_when_they_are_merged(folders, family, tmp_path):
    chosen = plan(folders, family)
    encoder = trainable(chosen).eval()
    untouched, _ = backbones.load(chosen.checkpoint).eval()(SOUND)
    assert torch.allclose(encoder(SOUND)[0], untouched, atol=1e-5)
    for name, one in encoder.named_parameters():
        if "lora_B" in name:
            one.data.normal_()
    changed, _ = encoder(SOUND)
    assert not torch.allclose(changed, untouched, atol=1e-2)
    merge(encoder)
    save_encoder(encoder, tmp_path / "kept", checkpoint=chosen.checkpoint)
    kept, _ = backbones.load(tmp_path / "kept").eval()(SOUND)
    assert torch.allclose(kept, changed, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_front_stays_as_it_is_unless_it_may_learn(folders, family):
    own = learning(trainable(plan(folders, family, tune="full")))
    assert own
    assert all(".layers." in name for name in own)
    everything = trainable(plan(folders, family, tune="full", freeze_front=False))
    assert learning(everything) == {name for name, _ in everything.named_parameters()}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_shortened_encoder_comes_back_shortened(folders, family, tmp_path):
    chosen = plan(folders, family, tune="full", layers=(0, 2))
    assert deepest(chosen) == 2
    encoder = trainable(chosen).eval()
    save_encoder(encoder, tmp_path / "kept", checkpoint=chosen.checkpoint)
    kept = backbones.load(tmp_path / "kept", layers=2).eval()
    assert torch.allclose(kept(SOUND)[0], encoder(SOUND)[0], atol=1e-6)
    assert len(kept(SOUND)[0]) == 3


def test_how_deep_is_told_by_the_highest_state():
    assert deepest(EncoderPlan(layers=None)) is None
    assert deepest(EncoderPlan(layers=(0,))) == 1  # an encoder has a layer


def test_layers_that_are_not_there_are_refused_by_name(folders):
    chosen = plan(folders, "wavlm", lora=Lora(targets=("query",)))
    expected = r"has no linear layer called 'query'; there are .*k_proj.*q_proj"
    with pytest.raises(ConfigError, match=expected):
        trainable(chosen)


def test_a_front_without_an_end_is_refused(folders, monkeypatch):
    encoder = backbones.load(folders["whisper"])
    encoder.encoder = torch.nn.Linear(2, 2)
    monkeypatch.setattr(backbones, "load", lambda *_, **__: encoder)
    with pytest.raises(ConfigError, match=r"freeze_front: .* has no part called 'layers'.*false$"):
        trainable(plan(folders, "whisper", tune="full"))
