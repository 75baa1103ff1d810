"""What several rooms are tested with: real recordings, and a model exported within a second."""

from pathlib import Path
from types import SimpleNamespace

import pytest

DATA = Path(__file__).parent / "data"
LABELS = ("angry", "neutral", "sad")


@pytest.fixture(scope="session")
def angry():
    """CREMA-D 1089_TIE_ANG_XX, 3.0 s, English; nine of ten listeners hear anger."""
    return DATA / "cremad_1089_tie_ang.opus"


@pytest.fixture(scope="session")
def clips():
    """Five short recordings."""
    return sorted([*DATA.glob("*.opus"), *DATA.glob("*.flac")])


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
    export(network, folder, {"name": "tiny", "labels": LABELS, "temperature": 1.5})
    return SimpleNamespace(folder=folder, network=network, before=before, labels=LABELS)
