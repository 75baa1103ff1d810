"""Two servers to talk to: one that imitates whatever can go wrong, and a real one."""

import itertools
import json
import math
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

ANSWER = '{"parts": [{"role": "expressive", "text": "I cried."}]}'


def completion(content, *, reason="stop", **message):
    """The body of a chat completion."""
    message = {"role": "assistant", "content": content, **message}
    return {"object": "chat.completion", "choices": [{"finish_reason": reason, "message": message}]}


@pytest.fixture(name="completion")
def _completion():
    return completion


class Imitation(ThreadingHTTPServer):
    """A server on this machine that gives scripted answers; the last one again and again.

    An answer is a text (what the model says), a dict (the body), ``(status, headers, body)``, or a
    function from the body of a request to one of these. ``requests`` are (path, headers, body).
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers, self.requests, self.lock = ["yes"], [], threading.Lock()
        self.over = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request, client_address):
        """A client that has gone is no error here."""


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.requests.append((self.path, self.headers, body))
            answers = self.server.answers
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        answer = answer(body) if callable(answer) else answer
        answer = completion(answer) if isinstance(answer, str) else answer
        status, headers, body = (200, {}, answer) if isinstance(answer, dict) else answer
        kind = "application/json" if isinstance(body, dict) else "text/html"
        self.send_response(status)
        for name, value in {"content-type": kind, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write((json.dumps(body) if isinstance(body, dict) else body).encode())

    def log_message(self, *arguments):
        """Silent."""


def _imitation():
    with Imitation() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    """No key, no address and no proxy of whoever runs the tests."""
    for name in os.environ:
        if name.startswith("OPENAI_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


server = pytest.fixture(_imitation, name="server")
another = pytest.fixture(_imitation, name="another")


@pytest.fixture(scope="session")
def bigram(tmp_path_factory):
    """A LLaMA whose next token depends on the last one alone, by a table that is known.

    ``folder``; ``chances`` (tokens, tokens), the log-probability of the column after the row;
    ``number`` of each token. After its chat template it says ANSWER, after a new line "ok.".
    """
    import torch
    from tokenizers import Tokenizer, decoders
    from tokenizers.models import BPE
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    signs = ["<unk>", "</s>", "<answer>", ANSWER, "\n", *map(chr, range(32, 127))]
    tokens = Tokenizer(BPE({sign: n for n, sign in enumerate(signs)}, [], unk_token="<unk>"))
    tokens.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=tokens, unk_token="<unk>", eos_token="</s>", pad_token="</s>"
    )
    tokenizer.add_special_tokens({"additional_special_tokens": ["<answer>"]})
    tokenizer.add_tokens([ANSWER])
    tokenizer.chat_template = (
        "{% for message in messages %}{{ message.content }}\n{% endfor %}<answer>"
    )
    number = tokenizer.get_vocab()
    width = len(signs) + len(signs) % 2
    table = np.random.default_rng(0).normal(size=(len(signs), len(signs)))
    for path in (["<answer>", ANSWER, "</s>"], ["\n", "o", "k", ".", "</s>"]):
        for sign, following in itertools.pairwise(path):
            table[number[sign], number[following]] = 9
    config = LlamaConfig(
        vocab_size=len(signs), hidden_size=width, intermediate_size=4, num_hidden_layers=1,
        num_attention_heads=1, max_position_embeddings=2048, rms_norm_eps=1e-12,
        tie_word_embeddings=False, bos_token_id=None, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():  # attention and the rest add nothing
            weight.fill_(1.0 if "norm" in name else 0.0)
        model.model.embed_tokens.weight.copy_(torch.eye(len(signs), width))
        # The norm makes a one of a state into the root of the width.
        model.lm_head.weight[:, : len(signs)] = torch.tensor(table.T / math.sqrt(width))
    folder = tmp_path_factory.mktemp("llms") / "bigram"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    chances = table - np.log(np.exp(table).sum(axis=1, keepdims=True))
    return SimpleNamespace(folder=folder, chances=chances, number=number)


@pytest.fixture(scope="session")
def serving(bigram, tmp_path_factory):
    """Base URL of ``transformers serve`` in a process of its own, with the bigram model."""
    for package in ("fastapi", "uvicorn"):
        pytest.importorskip(package, reason="transformers serve needs fastapi and uvicorn")
    command = [Path(sys.executable).with_name("transformers"), "serve", bigram.folder]
    clean = {key: value for key, value in os.environ.items() if not key.lower().endswith("proxy")}
    with subprocess.Popen(
        [*command, "--port", "0", "--host", "127.0.0.1", "--device", "cpu", "--log-level", "info"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**clean, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path_factory.mktemp("hub"))},
    ) as process:
        said = ""
        for line in process.stdout:
            said += line
            if found := re.search(r"Uvicorn running on (\S+)", line):
                yield f"{found[1]}/v1"
                break
        else:
            pytest.fail(f"transformers serve did not start:\n{said}")
        process.terminate()
        process.stdout.read()
