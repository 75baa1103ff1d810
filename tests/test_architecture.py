"""The dependency rule of DESIGN.md, read from the syntax trees."""

import ast
import functools
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import voxplain
from voxplain.cli import _names

SOURCE = Path(voxplain.__file__).parent
LAYERS = (  # nobody imports from a later line
    "errors types labels config plugins files processes audio",
    "descriptors backbones text llms",
    "models explainers evidence reports",
    "pipeline feature_table",
    "inquiry annotation conversations streaming collection",
    "training",
    "cli service testing __main__",
)
RANK = {room: rank for rank, layer in enumerate(LAYERS) for room in layer.split()}
TORCH_ROOMS = (
    "voxplain.backbones.", "voxplain.explainers.", "voxplain.llms.local",
    "voxplain.models.bottleneck", "voxplain.models.decoder",
    "voxplain.models.experiment_network",
    "voxplain.models.formats._networks",
    "voxplain.models.formats.experiment", "voxplain.models.formats.transformers",
    "voxplain.models.heads", "voxplain.models.msf", "voxplain.models.saliency_cnn",
    "voxplain.models.profiled", "voxplain.models.speech_network", "voxplain.models.text_encoder",
    "voxplain.models.vib_sed", "voxplain.testing.",
    "voxplain.text.transcribers.whisper", "voxplain.training.",
)  # fmt: skip
TORCH_FREE = (  # all that the base install runs
    "voxplain", "voxplain.annotation.work", "voxplain.annotation.engines.local",
    "voxplain.collection.exported", "voxplain.service.collecting",
    "voxplain.conversations.conversation", "voxplain.conversations.diarisers.sherpa_onnx",
    "voxplain.feature_table", "voxplain.pipeline", "voxplain.plugins", "voxplain.streaming",
    "voxplain.evidence.checking", "voxplain.evidence.explanation", "voxplain.evidence.flip",
    "voxplain.evidence.narrate", "voxplain.inquiry.trace", "voxplain.inquiry.mcp",
    "voxplain.models.describing", "voxplain.models.listening",
    "voxplain.models.description",
    "voxplain.explainers.occlusion",
    "voxplain.explainers.shapley", "voxplain.reports.html", "voxplain.reports.json",
    "voxplain.reports.markdown", "voxplain.reports.text", "voxplain.models.calibration",
    "voxplain.models.embedded", "voxplain.models.formats.embedded", "voxplain.models.formats.onnx",
    "voxplain.models.judgement", "voxplain.models.loading", "voxplain.models.profile",
    "voxplain.backbones.embedded", "voxplain.audio.log_mel", "voxplain.text.content",
    "voxplain.service.app", "voxplain.text.emotion", "voxplain.text.roles.embedded",
)  # fmt: skip
HEAVY = ("torch", "onnxruntime", "transformers", "scipy.signal", "sklearn", "soundfile", "av")

OF_EXTRAS = (
    "accelerate", "aiohttp", "bitsandbytes", "captum", "cryptography", "fastapi", "faster_whisper",
    "fsspec", "joblib", "jsonschema", "matplotlib", "mcp", "onnx", "openai", "pandas", "peft",
    "pocketsphinx", "prometheus_client", "pyarrow", "pyroomacoustics", "ray", "sacrebleu",
    "safetensors", "scipy", "sherpa_onnx", "sklearn", "tokenizers", "torch", "transformers",
    "uvicorn", "websockets",
)  # fmt: skip


def dotted(path):
    return ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {dotted(path): path for path in sorted(SOURCE.rglob("*.py"))}


@functools.cache
def tree(module):
    return ast.parse(MODULES[module].read_bytes())


def statements(node, *, deferred):
    """All below a node that are no types alone, those inside functions only if ``deferred``."""
    for child in ast.iter_child_nodes(node):
        function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        typing = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if typing or (function and not deferred):
            continue
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield child
            yield from statements(child, deferred=deferred)


@functools.cache
def imports(module, *, deferred=True):
    """(imported module, name) pairs, those inside functions only if ``deferred``."""
    found = []
    for node in statements(tree(module), deferred=deferred):
        if isinstance(node, ast.Import):
            found += [(name.name, "") for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {module}"
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                found.append((inner, "") if inner in MODULES else (node.module, name.name))
    return found


@functools.cache
def rooms(module, *, deferred=True):
    """The modules of this package that a module imports."""
    return {target for target, _ in imports(module, deferred=deferred) if target in MODULES}


def rank(module):
    """Layer of a module; the front door stands on the ground, so that all may ask its version."""
    return RANK[module.split(".")[1]] if "." in module else 0


def torch_users(modules):
    return [m for m in modules if any(n.partition(".")[0] == "torch" for n, _ in imports(m))]


def test_nobody_imports_upward():
    upward = [
        (module, target)
        for module in MODULES.keys() - {"voxplain"}
        for target in rooms(module)
        if rank(target) > rank(module)
    ]
    assert upward == []


def test_the_front_door_gives_types_at_once_the_pipeline_on_demand_and_its_version_to_all():
    assert rooms("voxplain", deferred=False) == {"voxplain.types"}
    assert rooms("voxplain") == {
        "voxplain.types", "voxplain.pipeline", "voxplain.feature_table", "voxplain.streaming",
        "voxplain.text.roles", "voxplain.conversations.conversation",
    }  # fmt: skip
    inside = [
        name for module in MODULES for target, name in imports(module) if target == "voxplain"
    ]
    assert set(inside) == {"__version__"}


def test_no_cycle():
    TopologicalSorter({name: rooms(name, deferred=False) for name in MODULES}).prepare()


def test_torch_stands_only_where_it_may():
    assert [m for m in torch_users(MODULES) if not m.startswith(TORCH_ROOMS)] == []


@pytest.mark.parametrize("module", TORCH_FREE)
def test_the_torch_free_path_reaches_no_torch(module):
    reached, fresh = set(), {module}
    while fresh:
        reached |= fresh
        fresh = set().union(*map(rooms, fresh)) - reached
    assert torch_users(reached) == []


def test_print_belongs_to_the_command_line():
    printing = [
        module
        for module in MODULES
        if any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "print"
            for node in ast.walk(tree(module))
        )
    ]
    assert [module for module in printing if not module.startswith("voxplain.cli")] == []


def test_every_module_says_what_it_is_and_what_it_offers():
    for module in MODULES:
        body = tree(module).body
        assert ast.get_docstring(tree(module)) or not body, module
        private = any(part.startswith("_") for part in module.split("."))
        assigned = [ast.unparse(one.targets[0]) for one in body if isinstance(one, ast.Assign)]
        assert "__all__" in assigned or private or len(body) < 2, f"{module} has no __all__"


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        (["voxplain"], HEAVY),
        (["voxplain.pipeline"], ("torch", "transformers")),
        ([f"voxplain.cli.{name}" for name in _names()], OF_EXTRAS),
    ],
    ids=["the package", "the pipeline", "every command, as --help does"],
)
def test_importing_stays_light(modules, unwanted):
    there = f"print([name for name in {unwanted} if name in sys.modules])"
    check = f"import sys, {', '.join(modules)}; {there}"
    path = os.pathsep.join([str(SOURCE.parent), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [sys.executable, "-c", check],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "[]"
