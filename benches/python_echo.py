#!/usr/bin/env python3
"""The Python original at both ends: calls a second of an echo over a Unix socket.

    python_echo.py IN_FLIGHT SECONDS

Two processes on one core, as the other contenders have two threads. The grace
that it allows packets to gather in is switched off, as it is the faster so.
"""

import os
import queue
import socket
import sys
import time

from cs.packetstream import PacketConnection

PATIENCE = 30


def connection(sock, handler=None):
    """Make a connection which writes every packet at once."""
    descriptors = (sock.fileno(), sock.fileno())
    return PacketConnection(descriptors, "echo", request_handler=handler, packet_grace=0)


def echo(_rq_type, _flags, payload):
    """Send back what came."""
    return 0, payload


def ask(conn, in_flight, seconds):
    """Call for some time, check every answer, return how many calls a second."""
    answers = queue.SimpleQueue()
    submitted = answered = 0
    begun = time.monotonic()
    while time.monotonic() - begun < seconds or answered < submitted:
        if submitted - answered < in_flight and time.monotonic() - begun < seconds:
            payload = submitted.to_bytes(16, "little")
            result = conn.submit(1, 0, payload)
            result.notify(lambda done, sent=payload: answers.put((sent, done.result)))
            submitted += 1
            continue
        sent, (ok, _flags, payload) = answers.get(timeout=PATIENCE)
        if not ok or bytes(payload) != sent:
            sys.exit("what was sent did not come back")
        answered += 1
    return answered / (time.monotonic() - begun)


def main():
    """Be the server in a child, the client here."""
    in_flight, seconds = int(sys.argv[1]), float(sys.argv[2])
    os.sched_setaffinity(0, {0})
    # It tells what it does on standard output.
    told = os.dup(1)
    os.dup2(2, 1)
    here, there = socket.socketpair()
    child = os.fork()
    if child == 0:
        here.close()
        with connection(there, echo) as conn:
            conn.join_recv()
        os._exit(0)
    there.close()
    with connection(here, echo) as conn:
        rate = ask(conn, in_flight, seconds)
    os.waitpid(child, 0)
    os.write(told, f"{rate}\n".encode())


main()
