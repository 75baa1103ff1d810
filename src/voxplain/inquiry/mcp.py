"""The tools as a server that speaks the Model Context Protocol, for agents other than ours.

Needs the extra ``mcp``: the protocol's own Python SDK, https://github.com/modelcontextprotocol.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from voxplain import __version__
from voxplain.errors import ConfigError
from voxplain.inquiry.ledger import Ledger
from voxplain.inquiry.tools import Recording, described, fit
from voxplain.plugins import require
from voxplain.types import Claim

__all__ = ["serve", "server"]

_CHECK: dict[str, Any] = {
    "name": "check",
    "description": "What in a sentence the facts that it cites do not bear out. Tools give facts "
    "with ids; a sentence may cite several of one call, kind and time. Say only what passes.",
    "parameters": {
        "type": "object",
        "properties": {
            "text": {"type": "string", "maxLength": 1000},
            "evidence": {"type": "array", "items": {"type": "string"}, "maxItems": 20},
        },
        "required": ["text", "evidence"],
        "additionalProperties": False,
    },
}


def server(recording: Recording, *, seconds: float = 60.0) -> Any:
    """A server of the SDK with the tools for one recording, and ``check`` for sentences.

    Results are JSON, those with a ``fault`` marked as errors. ``seconds`` are what a tool is given.
    Raises MissingExtra.
    """
    sdk, anyio = require("mcp.server", extra="mcp"), require("anyio", extra="mcp")
    types = require("mcp.types", extra="mcp")
    ledger, one_at_a_time = Ledger(recording, seconds=seconds), threading.Lock()

    def found(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        with one_at_a_time:
            if name != _CHECK["name"]:
                return ledger.call(name, arguments)
            try:
                fit(arguments, _CHECK["parameters"])
            except ConfigError as error:
                return {"fault": "bad arguments", "why": str(error)}
            sentence = Claim(arguments["text"], tuple(arguments["evidence"]))
            return {"problems": list(ledger.problems(sentence))}

    async def tools(context: Any, parameters: Any) -> Any:
        return types.ListToolsResult(
            tools=[
                types.Tool(
                    name=one["name"],
                    description=one["description"],
                    input_schema=one["parameters"],
                )
                for one in (*described(), _CHECK)
            ]
        )

    async def call(context: Any, parameters: Any) -> Any:
        result = await anyio.to_thread.run_sync(found, parameters.name, parameters.arguments or {})
        text = types.TextContent(type="text", text=json.dumps(result))
        return types.CallToolResult(content=[text], is_error="fault" in result)

    return sdk.Server("voxplain", version=__version__, on_list_tools=tools, on_call_tool=call)


def serve(recording: Recording, *, seconds: float = 60.0) -> None:
    """Serve on standard input and output until the client leaves. Raises MissingExtra."""
    made = server(recording, seconds=seconds)
    stdio, anyio = require("mcp.server.stdio", extra="mcp"), require("anyio", extra="mcp")

    async def run() -> None:
        async with stdio.stdio_server() as (reads, writes):
            await made.run(reads, writes, made.create_initialization_options())

    anyio.run(run)
