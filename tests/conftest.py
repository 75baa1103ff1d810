"""What several rooms are tested with: real recordings, and a model exported within a second."""

import contextlib
import functools
import gc
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import wave
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

DATA = Path(__file__).parent / "data"
CALIBRATION = {
    "labels": ("angry", "neutral", "sad"),
    "votes": ("angry", "happy", "neutral", "sad"),
    "sounds": ("one voice", "noise", "music"),
    "temperature": 1.5,
    "known_temperature": 0.5,
    "mass": 0.9,
    "widening": (0.05, -0.01, 0.1),
    "least_voice": 0.0,  # a random model takes everything for noise
    "most_strange": 1e9,
}


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Modules and thousands of tests stay to the end; looking for garbage among them only costs
    time: a third of collecting, and a second whenever somebody asks for a collection.
    """
    gc.disable()
    collected = yield
    gc.freeze()
    gc.enable()
    return collected


@pytest.fixture(autouse=True, scope="session")
def _no_pulled_models(tmp_path_factory):
    """Whatever recognisers the user has, the tests hear no words unless they say so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOXPLAIN_MODELS", str(tmp_path_factory.mktemp("pulled") / "models"))
        yield


@pytest.fixture(scope="session")
def angry():
    """CREMA-D 1089_TIE_ANG_XX, 3.0 s, English; nine of ten listeners hear anger."""
    return DATA / "cremad_1089_tie_ang.opus"


@pytest.fixture(scope="session")
def clips():
    """Five short recordings."""
    return sorted([*DATA.glob("*.opus"), *DATA.glob("*.flac")])


@pytest.fixture(scope="session")
def ray_address():
    """Of a Ray cluster of two workers; it stands in another folder than whoever joins it."""
    pytest.importorskip("ray", reason="ray is not installed")
    script = (
        "import os, sys, ray\n"
        "os.chdir('/')\n"
        "ray.init('local', num_cpus=2, include_dashboard=False, object_store_memory=10**8,\n"
        "         log_to_driver=False, logging_level='error')\n"
        "print(ray.get_runtime_context().gcs_address, flush=True)\n"
        "sys.stdin.read()\n"
    )
    settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, **settings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as cluster:
        address = cluster.stdout.readline().strip()
        if not address:
            pytest.skip("Ray did not start within its 30 s: this machine has too much to do")
        yield address
        cluster.stdin.close()


@pytest.fixture(scope="session")
def browsing():
    """Opens a Chromium, with flags of one's own; close it, or asyncio can't be used beside it."""
    playwright = pytest.importorskip("playwright.sync_api")
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip(f"none of {', '.join(names)} here")

    @contextlib.contextmanager
    def opened(*flags):
        with playwright.sync_playwright() as started:
            chromium = started.chromium.launch(executable_path=path, args=["--no-sandbox", *flags])
            yield chromium
            chromium.close()

    return opened


class _Files(SimpleHTTPRequestHandler):
    """A folder, each of its files also in parts, as servers of audio have it."""

    def log_message(self, *_):
        pass

    def send_head(self):
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if not asked or not (path := Path(self.translate_path(self.path))).is_file():
            return super().send_head()
        first, last = map(int, asked.groups())
        part = path.read_bytes()[first : last + 1]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{path.stat().st_size}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        return io.BytesIO(part)


@pytest.fixture
def web():
    """The URL of a folder on a server of this machine; handlers of one's own may misbehave."""
    pytest.importorskip("aiohttp", reason="aiohttp is not installed")
    with contextlib.ExitStack() as stack:

        def serve(folder, handler=_Files):
            handling = functools.partial(handler, directory=str(folder))
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handling))
            threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        serve.handler = _Files
        yield serve


@pytest.fixture(scope="session")
def wav_of():
    """Bytes of samples as a WAV."""

    def make(samples, *, rate=16_000, channels=1, width=2):
        target = io.BytesIO()
        with wave.open(target, "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(width)
            file.setframerate(rate)
            file.writeframes(samples)
        return target.getvalue()

    return make


@pytest.fixture(scope="session")
def spoken(angry, wav_of):
    """Those three seconds as a page would send them: 16-bit WAV."""
    from voxplain.audio.read import read

    return wav_of(np.round(read(angry).waveform * 32_767).astype("<i2").tobytes())


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """``folder`` of a random model, and the ``encoder``, ``head`` and ``folds`` exported to it.

    ``before`` are the head's weights before they were stored in 8 bits.
    """
    import torch

    from voxplain.backbones.whisper import StateEncoder, WhisperEncoder
    from voxplain.models.speech_network import SpeechHead, Spoken
    from voxplain.training.export import export

    torch.manual_seed(0)
    width = 2 * 16
    folder = tmp_path_factory.mktemp("models") / "tiny"

    def large(network):
        for parameter in network.parameters():  # larger than at birth, so that mistakes show
            parameter.data += 0.2 * torch.randn_like(parameter)
        return network.eval()

    def head():
        mean = torch.randn(width)
        counts = {key: len(CALIBRATION[key]) for key in ("labels", "votes", "sounds")}
        return large(SpeechHead(mean=mean, square=mean**2 + 0.5, channels=8, dropout=0.1, **counts))

    encoder = large(StateEncoder(WhisperEncoder(width=16, heads=2, hidden=32, layers=3)))
    mel = {"log_mel": torch.randn(1, 80, 300)}
    export(encoder, folder / "encoder.onnx", inputs=mel, outputs=["states"], frames_axis=2)
    places = ["head.onnx", "folds/head_0.onnx", "folds/head_1.onnx"]
    heads = [head() for _ in places]
    before = {name: weight.detach().clone() for name, weight in heads[0].named_parameters()}
    known = {"mean": torch.zeros(1, width), "square": torch.ones(1, width)}
    given = {"states": torch.randn(1, 75, width), **known, "trust": torch.full((1,), 0.5)}
    for network, place in zip(heads, places, strict=True):
        export(network, folder / place, inputs=given, outputs=Spoken._fields, frames_axis=1)
    usual = torch.randn(len(places), width)
    np.save(folder / "usual.npy", np.stack([usual.numpy(), usual.abs().numpy() + 0.5]))

    def digest(head):
        files = ("encoder.onnx", head, "usual.npy")
        return hashlib.sha256(b"".join((folder / file).read_bytes() for file in files))

    sums = [digest(place) for place in places]
    folds = [{"speakers": [f"s{n}"], "sha256": one.hexdigest()} for n, one in enumerate(sums[1:])]
    card = {"name": "tiny", **CALIBRATION, "sha256": sums[0].hexdigest(), "folds": folds}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return SimpleNamespace(
        folder=folder, encoder=encoder, head=heads[0], folds=heads[1:], before=before
    )


def _trained_describer(folder, *, concept):
    """A VIB-Emo as training leaves it, of the package's encoder, with random weights."""
    import torch
    from safetensors.torch import save_file

    from voxplain.models import decoder
    from voxplain.models.description import ATTRIBUTES, SLOTS
    from voxplain.models.levels import Cuts, Thresholds
    from voxplain.models.listening import encoder_digest
    from voxplain.models.vib_sed import VibSed

    torch.manual_seed(int(concept))
    words = " ".join(word for one in ATTRIBUTES for word in (one.name, *one.words))
    speaker = decoder.build([f"{words}, tone urgent, stress on that: sounds angry"], size="0.5M")
    options = {"latent": 8, "hidden": 16, "stack": 4, "concept": concept}
    network = VibSed(*reversed(speaker), depth=2, width=384, **options)
    with torch.no_grad():
        for weight in network.parameters():  # larger than at birth, so that mistakes show
            weight.add_(0.05 * torch.randn_like(weight))
    network.llm.save_pretrained(folder / "llm")
    network.tokenizer.save_pretrained(folder / "llm")
    own = {n: w.contiguous() for n, w in network.state_dict().items() if not n.startswith("llm.")}
    save_file(own, folder / "network.safetensors")
    cuts = {one.name: Cuts(one.descriptor, -1.0, 1.0, 0.1) for one in ATTRIBUTES}
    cuts["pitch"] = Cuts("f0_mean_st", 30.0, 36.0, 0.1)
    Thresholds(cuts).save(folder / "labels.json")
    card = {
        "format": "vib_sed", "name": f"tiny{' concept' * concept}", "version": "0", "sha256": "0",
        "recipe_sha256": "0", "notes": ["acted"], "speakers": {"train": ["s1"]},
        "encoder": {"checkpoint": "speech", "sha256": encoder_digest("speech")},
        "llm": {"checkpoint": ""}, "network": {"depth": 2, "width": 384, **options},
        "slots": list(SLOTS), "labels": ["angry", "neutral", "sad"],
        "temperature": 1.5, "middles": {"range": [-0.1, 0.1]}, "least": 0.4,
    }  # fmt: skip
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def trained_describer(tmp_path_factory):
    """A model folder of VIB-Emo."""
    return _trained_describer(tmp_path_factory.mktemp("trained"), concept=False)


@pytest.fixture(scope="session")
def trained_concept(tmp_path_factory):
    """The same, which decides from its own words."""
    return _trained_describer(tmp_path_factory.mktemp("trained_concept"), concept=True)


@pytest.fixture(scope="session")
def listening_folder(trained_describer, tmp_path_factory, angry):
    """What is packed of it."""
    return _packed(trained_describer, tmp_path_factory, angry)


@pytest.fixture(scope="session")
def concept_folder(trained_concept, tmp_path_factory, angry):
    """The same, which decides from its own words."""
    return _packed(trained_concept, tmp_path_factory, angry)


def _packed(trained, tmp_path_factory, clip):
    from voxplain.audio.read import read
    from voxplain.training.vib_sed.packed import pack

    return pack(trained, tmp_path_factory.mktemp("packed") / "model", clips=[read(clip)]).folder
