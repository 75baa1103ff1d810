"""A Dockerfile that a linter finds nothing in, and a compose file that gives nothing away."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import voxplain

ROOT = Path(__file__).parents[2]
LINES = [
    line.partition(" ")
    for line in re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text()).splitlines()
    if line and not line.startswith("#")
]


HADOLINT = shutil.which("hadolint", path=Path(sys.executable).parent)


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not here")
def test_the_linter_finds_nothing():
    told = subprocess.run([HADOLINT, ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def values(instruction):
    return [value for name, _, value in LINES if name == instruction]


def test_the_base_is_a_version_and_nothing_is_fetched_unseen():
    (base,) = values("FROM")
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", base)
    assert values("ADD") == []
    assert not re.search(r"curl|wget|sudo|apt", " ".join(values("RUN")))
    for command in values("RUN"):
        assert "pip install" not in command or "--no-cache-dir" in command


def test_nothing_runs_as_root():
    names = [name for name, *_ in LINES]
    (user,) = values("USER")
    assert int(user) > 0
    assert max(n for n, name in enumerate(names) if name == "RUN") < names.index("USER")
    assert names.index("USER") < names.index("ENTRYPOINT")


def test_what_it_runs_is_a_command_that_exists_and_its_health_is_asked():
    pytest.importorskip("fastapi", reason="needs the extra serve")
    from voxplain.cli import _parser

    (entry,) = map(json.loads, values("ENTRYPOINT"))
    arguments = _parser(entry[1:]).parse_args(entry[1:])
    assert (entry[0], arguments.host, str(arguments.data)) == ("voxplain", "0.0.0.0", "/data")
    (health,) = values("HEALTHCHECK")
    assert "/readyz" in health


def test_the_compose_file_needs_a_key_and_gives_no_rights_away():
    (service,) = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].values()
    assert service["image"] == f"voxplain:{voxplain.__version__}"
    assert "VOXPLAIN_KEYS:?" in service["environment"]["VOXPLAIN_KEYS"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "network_mode", "pid"} & service.keys()
