#!/usr/bin/env python3
"""One of two sides that ask and answer alike; the other is in tests/tests/live_python/.

    party.py serve ADDRESS
    party.py ask ADDRESS DEED

ADDRESS is tcp://HOST:PORT, unix:/path or stdio:. Either way the side performs what
it is asked, by type:

    1  answers the request's own flags and payload
    2  answers flags 0x11 and the payload backwards
    3  raises an exception
    4  answers in the form that the payload names
    5  answers when a request of type 6 was performed, and not before
    6  lets 5 go on
    7  asks the peer, type 2 and the same flags and payload, and answers what that answers
    8  answers so many bytes as the payload says

`ask` does one of DEEDS and checks what comes. Exit status 0: as it has to be; else
a last line on stderr tells what was not.
"""

from __future__ import annotations

import argparse
import os
import queue
import socket
import sys
import threading
from typing import Any, Callable

import peer
from puppet import FORMS

ECHO, REVERSE, ERROR, FORM, SLOW, RELEASE, CALL_BACK, MUCH = range(1, 9)

PATIENCE = 300
MANY = 70_000
LARGE = 10 << 20
DEPTH_OF_PYTHON = 4

Answer = tuple[bool, int, bytes]


class Party:
    """One side: a connection, what it performs, and what it can be told to do."""

    def __init__(self, descriptors: peer.Descriptors):
        self.released = threading.Event()
        self.conn = peer.connection(descriptors, self.perform)

    def perform(self, rq_type: int, flags: int, payload: bytes) -> Any:
        """Perform a request of the peer."""
        if rq_type == ECHO:
            return flags, payload
        if rq_type == REVERSE:
            return 0x11, payload[::-1]
        if rq_type == ERROR:
            raise ValueError("a secret")
        if rq_type == FORM:
            return FORMS[payload.decode()]()
        if rq_type == SLOW:
            self.released.wait(PATIENCE)
            return flags, payload
        if rq_type == RELEASE:
            self.released.set()
            return None
        if rq_type == CALL_BACK:
            ok, flags, payload = self.conn(REVERSE, payload, flags)
            if not ok:
                raise ValueError("refused")
            return flags, payload
        if rq_type == MUCH:
            return b"\x07" * int(payload)
        raise ValueError(f"unknown type {rq_type}")

    def ask(self, rq_type: int, flags: int = 0, payload: bytes = b"") -> Callable[[], Answer]:
        """Send a request; what comes back waits for the answer, though not for ever."""
        result = self.conn.submit(rq_type, flags, payload)
        came: queue.SimpleQueue[Any] = queue.SimpleQueue()
        result.notify(came.put)

        def answer() -> Answer:
            done = came.get(timeout=PATIENCE)
            assert not done.is_cancelled, "the peer ended without an answer"
            return done.result

        return answer

    def echo(self) -> None:
        """Flags and payloads come back as they are."""
        for flags, payload in [(0, b""), (1, b"a"), (0x55, b"\x00\xff" * 300), (2**40, b"\x80" * 70_000)]:
            self.expect(self.ask(ECHO, flags, payload), True, flags, payload)

    def reverse(self) -> None:
        """The request of the specification, and its answer."""
        self.expect(self.ask(REVERSE, 0x55, b"\x02\x03"), True, 0x11, b"\x03\x02")

    def error(self) -> None:
        """What raises is an answer that tells nothing, and the connection lives."""
        self.expect(self.ask(ERROR), False, 0, b"exception during handler")
        self.reverse()

    def forms(self) -> None:
        """Every form that a result may have."""
        for name, flags, payload in [
            ("None", 0, b""),
            ("int", 300, b""),
            ("bool", 1, b""),
            ("bytes", 0, b"\x00\xff"),
            ("str", 0, "Gr\u00fc\u00dfe".encode()),
            ("tuple", 5, b"five"),
        ]:
            self.expect(self.ask(FORM, 0, name.encode()), True, flags, payload)
        self.expect(self.ask(FORM, 0, b"Exception"), False, 0, b"exception during handler")

    def slow(self) -> None:
        """An answer overtakes those to earlier requests."""
        slow = [self.ask(SLOW, number, b"%d" % number) for number in range(3)]
        self.expect(self.ask(ECHO, 9, b"quick"), True, 9, b"quick")
        self.expect(self.ask(RELEASE), True, 0, b"")
        for number, answer in reversed(list(enumerate(slow))):
            self.expect(answer, True, number, b"%d" % number)

    def call_back(self) -> None:
        """Each side asks the other from within a handler, both at once."""
        answers = [self.ask(CALL_BACK, number, b"%d!" % number) for number in range(DEPTH_OF_PYTHON)]
        for number, answer in enumerate(answers):
            self.expect(answer, True, 0x11, (b"%d!" % number)[::-1])

    def large(self) -> None:
        """Ten mebibytes there, and ten back, and both."""
        sent = os.urandom(LARGE)
        self.expect(self.ask(REVERSE, 0, sent), True, 0x11, sent[::-1])
        self.expect(self.ask(MUCH, 0, b"%d" % LARGE), True, 0, b"\x07" * LARGE)

    def too_large(self) -> None:
        """What is longer than the peer takes ends the connection, and what it does not send is an answer."""
        refused = b"response of 33554432 bytes exceeds the limit of 16777176"
        self.expect(self.ask(MUCH, 0, b"%d" % (32 << 20)), False, 0, refused)
        self.reverse()

    def oversized(self) -> None:
        """A request that is longer than the peer takes is the end of the connection."""
        self.ask(REVERSE, 0, bytes(17 << 20))()

    def many(self) -> None:
        """So many requests on one connection that tags have three bytes."""
        waiting: list[Callable[[], Answer]] = []
        for number in range(MANY):
            if len(waiting) == 64:
                self.expect(waiting.pop(0), True, (number - 64) % 1000, b"%d" % (number - 64))
            waiting.append(self.ask(ECHO, number % 1000, b"%d" % number))
        for number, answer in enumerate(waiting, MANY - len(waiting)):
            self.expect(answer, True, number % 1000, b"%d" % number)

    def expect(self, answer: Callable[[], Answer], *expected: Any) -> None:
        """End the process unless that is the answer."""
        came = answer()
        if came != expected:
            shown = [f"{ok} {flags:#x} {payload[:40]!r} of {len(payload)}" for ok, flags, payload in (expected, came)]
            peer.die(1, f"expected {shown[0]}, came {shown[1]}")


DEEDS = {
    name.replace("_", "-"): getattr(Party, name)
    for name in ("echo", "reverse", "error", "forms", "slow", "call_back", "large", "too_large", "oversized", "many")
}


def live(descriptors: peer.Descriptors, deed: Callable[[Party], None] | None) -> None:
    """Do the deed, or serve until the peer has said its last; then close."""
    party = Party(descriptors)
    with party.conn:
        if deed is None:
            party.conn.join_recv()
        else:
            deed(party)


def main() -> None:
    """Run one side to its end."""
    parser = argparse.ArgumentParser(description="One of two sides that ask and answer alike.")
    parser.add_argument("role", choices=("serve", "ask"))
    parser.add_argument("address", metavar="ADDRESS")
    parser.add_argument("deed", nargs="?", choices=DEEDS, metavar="DEED")
    options = parser.parse_args()
    deed = DEEDS[options.deed] if options.role == "ask" else None
    watchdog = threading.Timer(PATIENCE + 10, peer.die, (3, "the time is up"))
    watchdog.daemon = True
    watchdog.start()
    threading.excepthook = peer.die_with_worker
    try:
        if options.address == "stdio:":
            live(peer.take_stdio(), deed)
        else:
            family, where = peer.socket_address(options.address)
            with socket.socket(family, socket.SOCK_STREAM) as sock:
                sock.connect(where)
                live(peer.prepare(sock), deed)
    except Exception as error:  # whatever it is, the test needs a status and a line
        peer.die(1, f"{type(error).__name__}: {error}")
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
