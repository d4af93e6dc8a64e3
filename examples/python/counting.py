#!/usr/bin/env python3
"""Counting words with a Rust program at the other end, on top of cs.packetstream.

    counting.py serve
    counting.py ask COMMAND TEXT WORD...

`serve` counts for the peer on its standard input and output; `ask` starts COMMAND,
which does the same, and has it count each WORD in TEXT. Either asks back before it
counts. The program at the other end is `counting`, in examples/src/bin/counting.rs:

    counting --connect 'exec:python counting.py serve' --text 'to be or not to be' to be
    python counting.py ask 'counting --listen stdio:' 'to be or not to be' to be
"""

import os
import shlex
import subprocess
import sys

from cs.binary import BSString, BinaryMultiValue
from cs.packetstream import BaseRequest, HasPacketConnection


class Count(BaseRequest, BinaryMultiValue("Count", {"word": BSString, "text": BSString})):
    """How often is a word in a text? The answer is a number, in the flags."""

    def fulfil(self, context):
        if not context.conn_do_remote(Confirm(question=f"count `{self.word}`?")):
            raise ValueError("not confirmed")
        return self.text.count(self.word)

    def decode_response_payload(self, flags, payload):
        return flags


class Confirm(BaseRequest, BinaryMultiValue("Confirm", {"question": BSString})):
    """Is it all right? The answer is yes or no, in the flags."""

    def fulfil(self, context):
        print("asked:", self.question, file=context.said, flush=True)
        return self.question != "count `not`?"

    def decode_response_payload(self, flags, payload):
        return bool(flags)


class Side(HasPacketConnection):
    """One side. Both have all requests in one table, so no number is used twice."""

    def __init__(self, receive, send, said):
        self.said = said
        super().__init__((receive, send), "counting", rq_type_map={0: Count, 1: Confirm}, packet_grace=0)


def serve():
    """Count for whoever is at the other end of standard input and output."""
    receive, send = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # cs.packetstream prints, and must not do so into the stream
    side = Side(receive, send, sys.stderr)
    with side.conn:
        side.conn.join_recv()


def ask(command, text, words):
    """Have a program count."""
    said = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        side = Side(child.stdout.fileno(), child.stdin.fileno(), said)
        with side.conn:
            for word in words:
                try:
                    count = side.conn_do_remote(Count(word=word, text=text))
                    print(f"{word}: {count}", file=said, flush=True)
                except ValueError:
                    print(f"{word}: not counted", file=said, flush=True)
    return child.returncode


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    elif len(sys.argv) > 3 and sys.argv[1] == "ask":
        sys.exit(ask(sys.argv[2], sys.argv[3], sys.argv[4:]))
    else:
        sys.exit(__doc__)
