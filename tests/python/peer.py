#!/usr/bin/env python3
"""The Python end of the interoperability tests, on top of cs.packetstream.

    peer.py serve ADDRESS [--once] [--close-first N] [--alone]
    peer.py ask ADDRESS [--count N] [--in-flight K] [--seed S] [--same] [--alone]

ADDRESS is tcp://HOST:PORT, unix:/path or stdio: (descriptors 0 and 1).

The service is *reverse*: every request, whatever its type and flags, is
answered with flags 0x11 and its payload backwards. `serve` offers it, `ask`
calls it, offers it meanwhile, and checks each answer. With --same all requests
are the first one. With --alone a thread that upstream loses is not the end of
the process, so that it shows what upstream makes of it.

Exit status: 0 all well, 1 the conversation went wrong, 2 the command line or
the environment is wrong, 3 the time was up. Whatever is not 0 leaves a last
line on stderr. cs.packetstream adds chatter of its own on stdout, or on stderr
when stdout is the connection.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import os
import queue
import random
import socket
import sys
import threading
from typing import Any, Callable, NamedTuple, NoReturn
from urllib.parse import urlsplit

ANSWER_FLAGS = 0x11
FIRST_REQUEST = (1, 0x55, b"\x02\x03")
LARGE_PAYLOAD = 70_000

Request = tuple[int, int, bytes]
Handler = Callable[[int, int, bytes], Any]


class Descriptors(NamedTuple):
    """The two descriptors a conversation runs over; one socket is both."""

    receive: int
    send: int


def die(status: int, message: str) -> NoReturn:
    """Say why and end the process at once, whatever its threads wait for."""
    sys.stderr.write(f"peer.py: {message}\n")
    sys.stderr.flush()
    os._exit(status)


def die_with_worker(args: threading.ExceptHookArgs) -> None:
    """End the process when an upstream thread dies: what waits on it is never woken."""
    name = args.thread.name if args.thread else "a thread"
    die(1, f"{name} died of {args.exc_type.__name__}")


def take_stdio() -> Descriptors:
    """Move the connection off descriptors 0 and 1, which anybody may use.

    What is printed from here on goes to stderr.
    """
    moved = Descriptors(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return moved


def socket_address(address: str) -> tuple[int, Any]:
    """Return the family and the socket address of a tcp: or unix: address."""
    if address.startswith("unix:"):
        return socket.AF_UNIX, address.removeprefix("unix:")
    parts = urlsplit(address)
    if parts.scheme != "tcp" or parts.hostname is None or parts.port is None:
        raise ValueError(f"not an address: {address}")
    return socket.AF_INET, (parts.hostname, parts.port)


def prepare(sock: socket.socket) -> Descriptors:
    """Turn off Nagle's delay where there is one; give both directions."""
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Descriptors(sock.fileno(), sock.fileno())


def connection(descriptors: Descriptors, handler: Handler | None = None) -> Any:
    """Make an upstream connection which writes every packet at once."""
    upstream = importlib.import_module("cs.packetstream")
    return upstream.PacketConnection(
        tuple(descriptors), "peer", request_handler=handler, packet_grace=0
    )


def converse(descriptors: Descriptors, close_after: int | None) -> None:
    """Serve one connection until the peer ends it or `close_after` requests came.

    In the latter case "end of requests" goes out before the answer to the last of
    them, so that a peer which closes when it has that answer is the second to do so.
    """
    arrived = itertools.count(1)
    enough = threading.Event()

    def reverse(_rq_type: int, _flags: int, payload: bytes) -> tuple[int, bytes]:
        if next(arrived) == close_after:
            conn.send_erq()
            enough.set()
        return ANSWER_FLAGS, payload[::-1]

    conn = connection(descriptors, reverse)
    with conn:
        if close_after is None:
            conn.join_recv()
            return

        def stop_at_the_end() -> None:
            conn.join_recv()
            enough.set()

        threading.Thread(target=stop_at_the_end, daemon=True).start()
        enough.wait()
        # Upstream writes the answers still owed on its way out.


def converse_over(sock: socket.socket, close_after: int | None) -> None:
    """Serve an accepted socket, which is closed only after the last packet."""
    with sock:
        converse(prepare(sock), close_after)


def serve(address: str, once: bool, close_after: int | None) -> None:
    """Offer the service at an address, each connection in a thread of its own."""
    family, where = socket_address(address)
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen()
        if family == socket.AF_INET:
            host, port = listener.getsockname()
            address = f"tcp://{host}:{port}"
        print(f"listening on {address}", file=sys.stderr, flush=True)
        try:
            while True:
                sock, _ = listener.accept()
                work = (sock, close_after)
                worker = threading.Thread(target=converse_over, args=work, daemon=True)
                worker.start()
                if once:
                    return worker.join()
        finally:
            if family == socket.AF_UNIX:
                os.unlink(where)


def requests(count: int, rng: random.Random) -> list[Request]:
    """Return (type, flags, payload) of each request: the known one, then random ones."""
    large = set(rng.sample(range(1, count), min(4, count // 4)))
    made = [FIRST_REQUEST]
    for index in range(1, count):
        size = LARGE_PAYLOAD if index in large else rng.randint(0, 2000)
        flags = rng.getrandbits(rng.choice((1, 7, 14, 32)))
        made.append((rng.randint(0, 300), flags, rng.randbytes(size)))
    return made


def ask(descriptors: Descriptors, made: list[Request], in_flight: int, patience: float) -> None:
    """Send requests, `in_flight` at a time, and check every answer.

    Upstream queues 16 packets to send and then blocks the submitter, so nothing
    may keep its receive thread waiting: that only appends to `answers`.
    """
    count = len(made)
    answers: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
    submitted = answered = 0
    with connection(descriptors, lambda _type, _flags, payload: (ANSWER_FLAGS, payload[::-1])) as conn:
        while answered < count:
            if submitted < count and submitted - answered < in_flight:
                result = conn.submit(*made[submitted])
                result.notify(lambda done, index=submitted: answers.put((index, done)))
                submitted += 1
                continue
            try:
                index, done = answers.get(timeout=patience)
            except queue.Empty:
                die(1, f"no answer for {patience:g} s, {answered} of {count} came")
            check(index, made[index][2], done)
            answered += 1


def check(index: int, payload: bytes, done: Any) -> None:
    """End the process unless this is the right answer to request `index`."""
    if done.is_cancelled:
        die(1, f"request {index}: the peer ended without an answer")
    ok, flags, answer = done.result
    if not ok or flags != ANSWER_FLAGS:
        die(1, f"request {index}: ok is {ok}, flags {flags:#x}, payload {answer[:80]!r}")
    if answer != payload[::-1]:
        die(1, f"request {index}: {len(payload)} bytes did not come back reversed")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="The Python end of the interoperability tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="answer requests")
    serving.add_argument("--once", action="store_true", help="end after one connection")
    serving.add_argument("--close-first", type=int, metavar="N", help="close after N requests")
    asking = commands.add_parser("ask", help="send requests and check the answers")
    asking.add_argument("--count", type=int, default=100, metavar="N")
    asking.add_argument("--in-flight", type=int, default=16, metavar="K")
    asking.add_argument("--seed", type=int, default=1, metavar="S")
    asking.add_argument("--same", action="store_true", help="make the same request each time")
    for command in serving, asking:
        command.add_argument("--alone", action="store_true", help="outlive upstream's threads")
        command.add_argument("address", metavar="ADDRESS")
        command.add_argument("--timeout", type=float, default=60, metavar="SECONDS")
    options = parser.parse_args()
    for name in "close_first", "count", "in_flight":
        if getattr(options, name, None) is not None and getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be 1 or more")
    return options


def run(options: argparse.Namespace, stdio: Descriptors | None) -> None:
    """Do what the command line says."""
    if options.command == "serve":
        if stdio:
            converse(stdio, options.close_first)
        else:
            serve(options.address, options.once, options.close_first)
        return
    if options.same:
        made = [FIRST_REQUEST] * options.count
    else:
        made = requests(options.count, random.Random(options.seed))
    how = (made, options.in_flight, options.timeout / 2)
    if stdio:
        ask(stdio, *how)
        return
    family, where = socket_address(options.address)
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.connect(where)
        ask(prepare(sock), *how)


def main() -> None:
    """Run one command to its end."""
    options = arguments()
    stdio = take_stdio() if options.address == "stdio:" else None
    watchdog = threading.Timer(options.timeout, die, (3, f"not done in {options.timeout:g} s"))
    watchdog.daemon = True
    watchdog.start()
    try:
        importlib.import_module("cs.packetstream")
    except ImportError as error:
        die(2, f"{error}; run tests/python/setup, then use target/python/bin/python")
    if not options.alone and (stdio or options.command == "ask" or options.once):
        threading.excepthook = die_with_worker
    try:
        run(options, stdio)
    except Exception as error:  # whatever it is, the caller needs a status and a line
        die(1, f"{options.command} {options.address}: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
