#!/usr/bin/env python3
"""A protocol in the manner of upstream's documentation; its other half is declared in Rust, in
tests/tests/live_python/protocol.rs. Either half serves and asks.

    clerk.py serve ADDRESS
    clerk.py ask ADDRESS

Exit status 0: as it has to be; else a last line on stderr tells what was not.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from typing import Any

from cs.binary import BinaryMultiValue, BSData, BSSFloat, BSString, BSUInt
from cs.packetstream import BaseRequest, HasPacketConnection

import peer

PATIENCE = 60


class Add(BaseRequest, BinaryMultiValue("Add", {"a": BSUInt, "b": BSUInt})):
    """A sum, in the flags."""

    def fulfil(self, context: Clerk) -> int:
        return self.a + self.b

    def decode_response_payload(self, flags: int, payload: bytes) -> int:
        return flags


class Greet(BaseRequest, BinaryMultiValue("Greet", {"name": BSString})):
    """Words for somebody."""

    def fulfil(self, context: Clerk) -> str:
        return f"Gr\u00fc\u00dfe, {self.name}"

    def decode_response_payload(self, flags: int, payload: bytes) -> str:
        return payload.decode()


class Store(BaseRequest, BinaryMultiValue("Store", {"key": BSString, "data": BSData})):
    """Keeps data; there is nothing to say to that."""

    def fulfil(self, context: Clerk) -> None:
        context.kept[self.key] = self.data

    def decode_response_payload(self, flags: int, payload: bytes) -> None:
        assert (flags, payload) == (0, b"")


class Fetch(BaseRequest, BinaryMultiValue("Fetch", {"key": BSString})):
    """Data that were kept: flag 0 says whether there are any."""

    def fulfil(self, context: Clerk) -> Any:
        data = context.kept.get(self.key)
        return 0 if data is None else (1, data)

    def decode_response_payload(self, flags: int, payload: bytes) -> bytes | None:
        return payload if flags & 1 else None


class Scale(BaseRequest, BinaryMultiValue("Scale", {"value": BSSFloat, "by": BSUInt})):
    """A float, larger."""

    def fulfil(self, context: Clerk) -> bytes:
        return bytes(BSSFloat(self.value * self.by))

    def decode_response_payload(self, flags: int, payload: bytes) -> float:
        return BSSFloat.from_bytes(payload).value


class Fail(BaseRequest, BinaryMultiValue("Fail", {})):
    """Never done."""

    def fulfil(self, context: Clerk) -> None:
        raise ValueError("a secret")


class Introduce(BaseRequest, BinaryMultiValue("Introduce", {"name": BSString})):
    """Has the asker greet somebody, and says what that said."""

    def fulfil(self, context: Clerk) -> str:
        return context.conn_do_remote(Greet(name=self.name))

    def decode_response_payload(self, flags: int, payload: bytes) -> str:
        return payload.decode()


class Clerk(HasPacketConnection):
    """Either side."""

    def __init__(self, descriptors: peer.Descriptors):
        self.kept: dict[str, bytes] = {}
        kinds = (Add, Greet, Store, Fetch, Scale, Fail, Introduce)
        super().__init__(tuple(descriptors), "clerk", rq_type_map=dict(enumerate(kinds)), packet_grace=0)


def refused(clerk: Clerk, rq_type: int, payload: bytes) -> None:
    """The peer refuses that, and the connection lives."""
    ok, flags, _ = clerk.conn.submit(rq_type, 0, payload)()
    assert (ok, flags) == (False, 0), f"type {rq_type} with {payload!r} is not refused"
    assert clerk.conn_do_remote(Add(a=1, b=1)) == 2


def ask(clerk: Clerk) -> None:
    """Have everything done, and look at what comes."""
    assert clerk.conn_do_remote(Add(a=300, b=2**40)) == 300 + 2**40
    assert clerk.conn_do_remote(Greet(name="Bj\u00f6rn")) == "Gr\u00fc\u00dfe, Bj\u00f6rn"
    data = os.urandom(100_000)
    assert clerk.conn_do_remote(Store(key="k", data=data)) is None
    assert clerk.conn_do_remote(Fetch(key="k")) == data
    assert clerk.conn_do_remote(Fetch(key="other")) is None
    assert clerk.conn_do_remote(Scale(value=0.1, by=3)) == 0.1 * 3
    assert clerk.conn_do_remote(Scale(value=1e300, by=10**10)) == float("inf")
    results = [clerk.conn_submit(Add(a=number, b=1)) for number in range(100)]
    # A result is what the request makes of the answer, or the answer itself with its flags.
    for number, result in enumerate(results):
        assert result()[1] == number + 1, result()
    try:
        clerk.conn_do_remote(Fail())
    except ValueError:
        pass
    else:
        raise AssertionError("what fails is an exception")
    assert clerk.conn_do_remote(Introduce(name="Tor")) == "Gr\u00fc\u00dfe, Tor"
    refused(clerk, 99, b"")
    refused(clerk, 0, b"\x01")
    refused(clerk, 0, b"\x01\x02\x03")
    refused(clerk, 1, b"\x02\xff\xfe")


def main() -> None:
    """Be one side."""
    role, address = sys.argv[1:]
    watchdog = threading.Timer(PATIENCE, peer.die, (3, "the time is up"))
    watchdog.daemon = True
    watchdog.start()
    threading.excepthook = peer.die_with_worker
    try:
        sock = None
        if address == "stdio:":
            descriptors = peer.take_stdio()
        else:
            family, where = peer.socket_address(address)
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.connect(where)
            descriptors = peer.prepare(sock)
        clerk = Clerk(descriptors)
        with clerk.conn:
            if role == "serve":
                clerk.conn.join_recv()
            else:
                ask(clerk)
    except Exception as error:  # whatever it is, the test needs a status and a line
        peer.die(1, f"{type(error).__name__}: {error}")
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
