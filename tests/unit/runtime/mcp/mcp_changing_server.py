"""A server of the SDK whose tools are those that `FOLDER/tools` names; a call of `tell` publishes
that they changed to whoever listens.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import mcp.types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

FOLDER = Path(sys.argv[1])
