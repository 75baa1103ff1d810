"""The tools over the Model Context Protocol, by the client of its own SDK."""

import json
import sys

import pytest

from voxplain.errors import MissingExtra
from voxplain.inquiry import mcp
from voxplain.inquiry.tools import described


def test_without_the_sdk_it_is_said_what_to_install(recording, monkeypatch):
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    with pytest.raises(MissingExtra, match=r"pip install 'voxplain\[mcp\]'"):
        mcp.server(recording)


def test_a_client_finds_and_calls_the_tools(recording):
    sdk = pytest.importorskip("mcp", reason="the extra mcp is not installed")
    anyio = pytest.importorskip("anyio")
    seen = {}

    async def talk():
        async with sdk.Client(mcp.server(recording)) as client:
            seen["tools"] = (await client.list_tools()).tools
            for key, name, arguments in (
                ("found", "contrast", {"label": "sad", "other": "happy"}),
                ("fault", "contrast", {"label": "sad"}),
                ("unknown", "shell", {}),
                ("true", "check", {"text": "TEXT", "evidence": ["e1"]}),
                ("wrong", "check", {"text": "The voice sounds glad.", "evidence": ["e1"]}),
                ("none", "check", {"text": "The voice sounds glad."}),
            ):
                if key == "true":
                    arguments["text"] = json.loads(seen["found"].content[0].text)["facts"]["e1"]
                seen[key] = await client.call_tool(name, arguments)

    anyio.run(talk)
    shown = [(one.name, one.description, one.input_schema) for one in seen["tools"]]
    assert shown[:-1] == [
        (one["name"], one["description"], json.loads(json.dumps(one["parameters"])))
        for one in described()
    ]
    assert shown[-1][0] == "check"
    results = {key: json.loads(one.content[0].text) for key, one in seen.items() if key != "tools"}
    assert "rather than happy" in results["found"]["facts"]["e1"]
    assert results["fault"]["fault"] == results["none"]["fault"] == "bad arguments"
    assert results["unknown"]["fault"] == "unknown tool"
    assert results["true"] == {"problems": []}
    assert results["wrong"]["problems"]
    assert [key for key in results if seen[key].is_error] == ["fault", "unknown", "none"]
