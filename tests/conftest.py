"""A model small enough to be trained, exported and run within a second."""

import warnings
from types import SimpleNamespace

import pytest

LABELS = ("angry", "neutral", "sad")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """``folder`` of an exported random model, and the ``network`` that it was exported from."""
    import torch

    from voxplain.backbones.whisper import WhisperEncoder
    from voxplain.models.speech_network import AttentiveHead, SpeechNetwork
    from voxplain.training.export import export

    torch.manual_seed(0)
    network = SpeechNetwork(
        WhisperEncoder(width=16, heads=2, hidden=32, layers=2),
        AttentiveHead(16, channels=8, classes=len(LABELS), dropout=0.1),
    ).eval()
    for parameter in network.parameters():  # larger than at birth, so that mistakes show
        parameter.data += 0.2 * torch.randn_like(parameter)
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    folder = tmp_path_factory.mktemp("models") / "tiny"
    with warnings.catch_warnings():  # torch is about to drop the exporter that this one uses
        warnings.simplefilter("ignore", DeprecationWarning)
        export(network, folder, {"name": "tiny", "labels": LABELS, "temperature": 1.5})
    return SimpleNamespace(folder=folder, network=network, before=before, labels=LABELS)
