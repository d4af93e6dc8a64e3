#!/usr/bin/env python3
"""A cs.packetstream connection on strings: it does what it is told, one step at a time.

    puppet.py ADDRESS

connects to ADDRESS, unix:/path or tcp://HOST:PORT, reads commands from standard
input and says on standard output what happens, both one JSON object a line. Each
command is answered at once with its own name, or with `raised`; what takes longer
is said when it has happened. Commands:

    open [grace] [handler]  a connection over the descriptor, again after the last;
                            grace 0 unless it is given, null for upstream's own
    submit as type          `as` is answered later: ok, flags, payload; or lost
        [flags] [payload] [channel]
    close                   leave the connection: `closed` once that has returned
    join_recv               `joined` once that has returned
    send_erq, send_eof      the upstream methods
    release                 lets the held requests go on, and all later ones
    shut_write              shuts down the sending half of the socket
    linger_not              has the end of this process reset the connection

Requests that the puppet performs, by type:

    1  answers flags 0x11 and the payload backwards
    2  says `handling`, waits for `release`, then as 1
    3  asks the peer, request type 1, and answers what that answers
    4  says `handling`, waits for `release`, then as 3
    5  answers in the form that the payload names, see FORMS

A payload is a string of a character for each byte. A thread that upstream loses is told as `died`. The end of
standard input ends the process, whatever its threads wait for.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from typing import Any, Callable, Optional

import peer

REVERSE, HELD, ASK_BACK, HELD_ASK_BACK, FORM = 1, 2, 3, 4, 5

FORMS: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "int": lambda: 300,
    "bool": lambda: True,
    "bytes": lambda: b"\x00\xff",
    "str": lambda: "Gr\u00fc\u00dfe",
    "surrogate": lambda: "a\udc80b",
    "tuple": lambda: (5, b"five"),
    "list": lambda: [6, b"six"],
    "dict": lambda: {7: 0, b"seven": 0},
    "float": lambda: 0.5,
    "one": lambda: (1,),
    "three": lambda: (1, b"", b""),
    "bytearray": lambda: bytearray(b"abc"),
    "int-str": lambda: (1, "text"),
    "pair of bytes": lambda: bytearray(b"ab"),
}


def raising(exception: BaseException) -> Callable[[], Any]:
    """Return a function that raises."""

    def function() -> Any:
        raise exception

    return function


FORMS["Exception"] = raising(ValueError("a secret"))
FORMS["SystemExit"] = raising(SystemExit(3))


class Voice:
    """Says what happens, a line at a time, from any thread."""

    def __init__(self, descriptor: int):
        self.out = os.fdopen(descriptor, "w", encoding="utf-8")
        self.lock = threading.Lock()

    def __call__(self, event: str, **facts: Any) -> None:
        line = json.dumps({"event": event, **facts})
        with self.lock:
            self.out.write(line + "\n")
            self.out.flush()


class Puppet:
    """One descriptor, and the connection over it if there is one."""

    def __init__(self, sock: socket.socket, say: Voice):
        self.sock = sock
        self.say = say
        self.conn: Any = None
        self.leave = threading.Event()
        self.released = threading.Event()

    def obey(self, command: dict[str, Any]) -> None:
        """Do one thing, and say so or what is wrong with it."""
        name = command.pop("do")
        try:
            getattr(self, name)(**command)
        except Exception as error:  # whatever it is, it is told
            self.say("raised", exception=type(error).__name__)
        else:
            self.say(name)

    def open(self, grace: Optional[float] = 0, handler: bool = True) -> None:
        """Make a connection; a thread of its own stays in it until `close`."""
        import cs.packetstream as upstream

        descriptor = self.sock.fileno()
        options: dict[str, Any] = {} if grace is None else {"packet_grace": grace}
        if handler:
            options["request_handler"] = self.perform
        conn = upstream.PacketConnection((descriptor, descriptor), "puppet", **options)
        self.leave = leave = threading.Event()
        entered = threading.Event()

        def live() -> None:
            with conn:
                entered.set()
                leave.wait()

        self.conn = conn
        in_background(self.tell, "closed", live)
        entered.wait()

    def tell(self, done: str, wait: Callable[[], Any]) -> None:
        """Wait, and say that it is over or what was raised."""
        try:
            wait()
        except BaseException as error:  # what upstream raises is what a test wants to know
            self.say(done, raised=type(error).__name__)
        else:
            self.say(done, raised=None)

    def submit(self, **request: Any) -> None:
        """Ask the peer; a thread waits for the answer."""
        name = request["as"]
        channel = {"channel": request["channel"]} if "channel" in request else {}
        payload = request.get("payload", "").encode("latin-1")
        result = self.conn.submit(request["type"], request.get("flags", 0), payload, **channel)

        def wait() -> None:
            try:
                ok, flags, payload = result()
            except BaseException as error:  # as in `tell`
                self.say("lost", **{"as": name}, exception=type(error).__name__)
            else:
                self.say("answered", **{"as": name}, ok=ok, flags=flags, payload=payload.decode("latin-1"))

        in_background(wait)

    def close(self) -> None:
        """Leave the connection."""
        self.leave.set()

    def join_recv(self) -> None:
        """Wait for the peer's last packet."""
        in_background(self.tell, "joined", self.conn.join_recv)

    def send_erq(self) -> None:
        """Say that no more requests come."""
        self.conn.send_erq()

    def send_eof(self) -> None:
        """Say that nothing more comes."""
        self.conn.send_eof()

    def release(self) -> None:
        """Let the held requests go on."""
        self.released.set()

    def shut_write(self) -> None:
        """Close one half of the socket."""
        self.sock.shutdown(socket.SHUT_WR)

    def linger_not(self) -> None:
        """Have the socket reset when it is closed for the last time."""
        at_once = (1).to_bytes(4, sys.byteorder) + (0).to_bytes(4, sys.byteorder)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)

    def perform(self, rq_type: int, _flags: int, payload: bytes) -> Any:
        """Perform a request of the peer."""
        if rq_type in (HELD, HELD_ASK_BACK):
            self.say("handling")
            self.released.wait()
        if rq_type in (ASK_BACK, HELD_ASK_BACK):
            ok, flags, answer = self.conn(REVERSE, payload)
            if not ok:
                raise ValueError("refused")
            return flags, answer
        if rq_type == FORM:
            return FORMS[payload.decode()]()
        return peer.ANSWER_FLAGS, payload[::-1]


def in_background(function: Callable[..., Any], *arguments: Any) -> None:
    """Call a function in a thread that does not keep the process."""
    threading.Thread(target=function, args=arguments, daemon=True).start()


def main() -> None:
    """Connect, then obey until there are no more commands."""
    commands, voice = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # upstream prints
    say = Voice(voice)
    threading.excepthook = lambda args: say("died", exception=args.exc_type.__name__)
    family, where = peer.socket_address(sys.argv[1])
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.connect(where)
    peer.prepare(sock)
    puppet = Puppet(sock, say)
    with os.fdopen(commands, encoding="utf-8") as lines:
        for line in lines:
            puppet.obey(json.loads(line))
    os._exit(0)


if __name__ == "__main__":
    main()
