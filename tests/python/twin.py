#!/usr/bin/env python3
"""A module that packetstream made of a protocol, at work.

    twin.py recode MODULE
    twin.py ask MODULE SOCKET
    twin.py serve MODULE SOCKET

MODULE is the path of the module, SOCKET that of a Unix socket. `recode` reads packets
from standard input and says what it writes when it has read them; `ask` reads
requests, asks them and says what the answers are. Both have a line of JSON for each:
`what` is `request`, `reply`, `failure` or `ask`, then `rq_type`, `flags`, and `payload`
in hexadecimal. What is said of a packet that is none of the protocol is `refused`.
`serve` answers a request with what it holds, until the peer closes.
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import sys
from typing import Any


class Letter:
    """What `everything` has by hand: a letter in one byte."""

    def parse(self, reader: Any) -> str:
        """Take it."""
        letter = chr(reader.take(1)[0])
        if not (letter.isascii() and letter.isalpha()):
            raise ValueError("not a letter")
        return letter

    def transcribe(self, value: str, out: Any) -> None:
        """Append it."""
        out.raw(value.encode("ascii"))


def load(path: str) -> Any:
    """Import a module by its path."""
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def own_side(module: Any) -> type:
    """Return the module's class of a side."""
    base = module.HasPacketConnection
    (side,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    )
    return side


def said(what: str, flags: int, payload: bytes) -> dict[str, Any]:
    """Return what there is to say of a packet."""
    return {"what": what, "flags": flags, "payload": bytes(payload).hex()}


def failure(module: Any, cls: Any, value: Any) -> tuple[int, bytes]:
    """Return what a declared failure travels with, which Python never sends."""
    flags, payload = module._packet(cls._failure, value, module._MAX_REPLY_FLAGS >> 1)
    return flags << 1 | 1, payload


def recode(module: Any, packet: dict[str, Any]) -> dict[str, Any]:
    """Read a packet and write it again."""
    cls = module.RQ_TYPE_MAP[packet["rq_type"]]
    what, flags, payload = packet["what"], packet["flags"], bytes.fromhex(packet["payload"])
    if what == "request":
        request = cls.from_request_payload(flags, payload)
        return said(what, request.flags, bytes(request))
    if what == "reply":
        value = cls.decode_response_payload(cls.__new__(cls), flags, payload)
        return said(what, *cls.reply(value))
    is_declared = cls._failure is not None and flags & 1
    value = cls.decode_failure(flags, payload)
    return said(what, *(failure(module, cls, value) if is_declared else (flags, payload)))


def ask(module: Any, side: Any, packet: dict[str, Any]) -> dict[str, Any]:
    """Ask a request, in both ways by turns."""
    cls = module.RQ_TYPE_MAP[packet["rq_type"]]
    flags, payload = packet["flags"], bytes.fromhex(packet["payload"])
    try:
        request = cls.from_request_payload(flags, payload)
        if packet["how"] == "conn_do_remote":
            return said("reply", *cls.reply(side.conn_do_remote(request)))
        return said("reply", *cls.reply(request.ask(side.conn)))
    except module.RequestFailed as failed:
        if failed.failure is None:
            return said("words", failed.flags, failed.payload)
        return said("failure", *failure(module, cls, failed.failure))
    except ValueError as error:
        return {"what": "error", "error": str(error)}


def echo(_side: Any, request: Any) -> Any:
    """Answer a request of `everything` with what it holds."""
    # A unit is `()` in a payload, and None in a reply.
    if request.RQ_TYPE in (20, 70_001):
        return None
    if request.RQ_TYPE == 28:
        some = vars(sys.modules["everything"])["Some"]
        return None if request.value is None else some(None)
    if request.RQ_TYPE == 300:
        return request.shape
    if request.RQ_TYPE == 70_000:
        return request.field_0, request.field_2
    return request.value


def connect(path: str) -> socket.socket:
    """Connect to a Unix socket."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(path)
    return sock


def main() -> None:
    """Do what the command line says."""
    command, path = sys.argv[1:3]
    voice = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # cs.packetstream prints
    module = load(path)
    if hasattr(module, "BY_HAND"):
        module.BY_HAND["letter"] = Letter()
    if command == "recode":
        for line in sys.stdin:
            packet = json.loads(line)
            try:
                answer = recode(module, packet)
            except ValueError as error:
                answer = {"refused": str(error)}
            voice.write(json.dumps(answer) + "\n")
        voice.flush()
        return
    base = own_side(module)
    with connect(sys.argv[3]) as sock:
        descriptors = (sock.fileno(), sock.fileno())
        if command == "serve":
            methods = {name: echo for name in vars(base) if name.startswith("fulfil_")}
            side = type("Echoes", (base,), methods)(descriptors, "echoes", packet_grace=0)
            with side.conn:
                side.conn.join_recv()
            return
        side = base(descriptors, "asker", packet_grace=0)
        with side.conn:
            for line in sys.stdin:
                voice.write(json.dumps(ask(module, side, json.loads(line))) + "\n")
        voice.flush()


if __name__ == "__main__":
    main()
