#!/usr/bin/env python3
"""Makes the golden vectors: what cs.packetstream and cs.binary make of numbers, packets and fields.

    golden.py                         writes tests/golden/
    golden.py --check                 says whether tests/golden/ is what this script makes
    golden.py --random N [--seed S]   writes N random packets to standard output

`tests/tests/golden/` replays the files without Python, and random packets from a file that
PACKETSTREAM_GOLDEN names. The bytes come from the pinned packages, which also have to read them
back; what is asked of them, and what packetstream makes of malformed bytes, is written here and
in golden_malformed.py.

A file is lines of columns with tabs between them; `#` begins a comment. Bytes are hexadecimal,
in parts of which `aa*127` is a byte 127 times, or `-` if there are none; texts and other values
are JSON.

Exit status: 0 all well, 1 the files differ or the packages contradict themselves, 2 the command
line or the environment is wrong.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import itertools
import json
import random
import struct
import sys
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator

import golden_malformed
from golden_upstream import (
    FIELD_TYPES,
    Fields,
    binary,
    bits,
    hexed,
    packet,
    read_packet,
    same,
    told,
)

Row = list[str]

FOLDER = Path(__file__).resolve().parent.parent / "golden"
TWO_64 = 1 << 64
# The largest flags that leave room for the bits that the protocol keeps below them.
MAX_REQUEST_FLAGS = (1 << 62) - 1
MAX_REPLY_FLAGS = (1 << 61) - 1

CHANNELS = [0, 1, 127, 128, 1 << 32, TWO_64 - 1]
TAGS = [0, 1, 2, 127, 128, 300, 16383, 16384, 1 << 32, 1 << 63, TWO_64 - 1]
# 31 and 32, 4095 and 4096: where the word that flags of a request are in grows by a byte.
REQUEST_FLAGS = [0, 1, 31, 32, 0x55, 4095, 4096, MAX_REQUEST_FLAGS]
REPLY_FLAGS = [0, 1, 15, 16, 0x11, 2047, 2048, MAX_REPLY_FLAGS]
# On the wire these are one more: 126 and 127, 16382 and 16383 differ in length there.
RQ_TYPES = [0, 1, 126, 127, 16382, 16383, 1 << 32, TWO_64 - 2]
PAYLOADS = [b"", b"\0", b"hello", "Gr\u00fc\u00dfe".encode(), bytes(range(0xF0, 0x100)), 127, 128]


def varints() -> Iterator[Row]:
    """Numbers at every 7-bit edge, spellings with padding, and what is cut."""
    edges = {(1 << bits) + delta for bits in range(0, 134, 7) for delta in (-1, 0, 1)}
    edges |= {(1 << bits) + delta for bits in (32, 63, 64, 128) for delta in (-1, 0, 1)}
    edges |= {5, 300, 16383}
    for value in sorted(edges):
        spelled = bytes(binary.BSUInt(value))
        same(f"the number {value}", binary.BSUInt.from_bytes(spelled).value, value)
        yield ["number", str(value), hexed(spelled)]
    for value in 0, 1, 127, 128, 300, 1 << 32, 1 << 63, TWO_64 - 1, TWO_64:
        for padding in range(1, 13):
            spelled = b"\x80" * padding + bytes(binary.BSUInt(value))
            read, taken = binary.BSUInt.parse_bytes(spelled)
            same(f"bytes taken of {spelled.hex()}", taken, len(spelled))
            yield ["padded", str(read.value), hexed(spelled)]
    for value in 128, 300, 1 << 32, TWO_64 - 1, TWO_64, 1 << 128:
        spelled = bytes(binary.BSUInt(value))
        for cut in range(len(spelled)):
            yield ["cut", raised(binary.BSUInt.from_bytes, spelled[:cut]), hexed(spelled[:cut])]


def raised(function: Callable[[bytes], Any], argument: bytes) -> str:
    """The name of the exception that the function raises."""
    try:
        read = function(argument)
    except Exception as error:  # which one is what is asked
        return type(error).__name__
    raise SystemExit(f"golden.py: {argument.hex()} is read as {read}")


def packets() -> Iterator[Row]:
    """Packets: products of their fields, other spellings of them, and fields beyond 64 bits."""
    yield from (packet_row("packet", fields) for fields in products())
    yield from spellings()
    yield from beyond()


def products() -> Iterator[Fields]:
    """All combinations of some numbers, each with another payload than the one before, and of others."""
    payloads = itertools.cycle(PAYLOADS)
    few_tags = [0, 2, 127, 128, 16384, TWO_64 - 1]
    few_flags = [0, 31, 32, 0x55, MAX_REQUEST_FLAGS]
    few_types = [0, 126, 127, 16383, TWO_64 - 2]
    for numbers in itertools.product(CHANNELS, few_tags, few_flags, few_types):
        yield filled(Fields("request", *numbers, b""), next(payloads))
    for kind, *numbers in itertools.product(("ok", "not-ok"), CHANNELS, TAGS, REPLY_FLAGS):
        yield filled(Fields(kind, *numbers, None, b""), next(payloads))
    for numbers in itertools.product((0, 300), TAGS, (0, MAX_REQUEST_FLAGS), RQ_TYPES):
        yield filled(Fields("request", *numbers, b""), next(payloads))
    for numbers in itertools.product((0, 7), (2, 300), REQUEST_FLAGS, (1, 16382)):
        yield filled(Fields("request", *numbers, b""), next(payloads))
    for payload, channel, tag, flags in itertools.product(PAYLOADS, (0, 1), (2, 300), (0, 0x55)):
        yield filled(Fields("request", channel, tag, flags, 1, b""), payload)
        yield filled(Fields("ok", channel, tag, flags, None, b""), payload)
        yield filled(Fields("not-ok", channel, tag, flags, None, b""), payload)
    for channel, tag, flags, payload in itertools.product(
        (0, 1, 300), (0, 1, 2, 300), (0, 1), PAYLOADS[:3]
    ):
        yield Fields("control", channel, tag, flags, None, payload)
    for length in 4095, 4096, 16380, 16384, 70_000:
        yield Fields("request", 0, 2, 0x55, 1, b"\x5a" * length)
        yield Fields("ok", 300, 300, 0x11, None, b"\xa5" * length)


def filled(fields: Fields, payload: Any) -> Fields:
    """The packet with this payload; a number is the length that its body is to have."""
    if isinstance(payload, int):
        body = len(bytes(packet(fields))) - 1
        payload = b"\xaa" * (payload - body)
    return fields._replace(payload=payload)


def packet_row(keyword: str, fields: Fields, *more: str) -> Row:
    """The columns of a packet; of its bytes those before the payload."""
    spelled = bytes(packet(fields))
    same(f"what is read of {spelled.hex()}", read_packet(spelled + b"\x99"), (fields, len(spelled)))
    same(f"the payload of {spelled.hex()}", spelled.endswith(fields.payload), True)
    header = spelled[: len(spelled) - len(fields.payload)]
    return [keyword, *fields.columns(), hexed(header), *more]


def spellings() -> Iterator[Row]:
    """Bytes that are read as a packet which is written otherwise; those before the payload are the last column."""
    plain = Fields("request", 300, 300, 0x1234, 200, b"payload")
    for fields in (
        plain,
        plain._replace(channel=0),
        plain._replace(payload=b""),
        Fields("ok", 300, 2, 0, None, b"\0\1"),
        Fields("not-ok", 0, 2, 5, None, b"no"),
        Fields("control", 0, 0, 0, None, b""),
        Fields("control", 0, 1, 0, None, b""),
    ):
        numbers = fields.wire()
        ways = [
            numbers[:at]
            + [(numbers[at][0], b"\x80" * padding + numbers[at][1])]
            + numbers[at + 1 :]
            for at in range(len(numbers))
            for padding in (1, 2, 10 - len(numbers[at][1]))
        ]
        if fields.channel == 0:
            ways += [
                fields.wire(explicit_channel=channel)
                for channel in (b"\0", b"\x80\0", b"\x80" * 9 + b"\0")
            ]
        for way in ways:
            body = b"".join(spelled for _, spelled in way)
            length = bytes(binary.BSUInt(len(body) + len(fields.payload)))
            for prefix in length, b"\x80" + length, b"\x80" * (10 - len(length)) + length:
                yield spelling(fields, prefix + body)


def spelling(fields: Fields, header: bytes) -> Row:
    """A row of `spellings`."""
    spelled = header + fields.payload
    same(f"what is read of {spelled.hex()}", read_packet(spelled + b"\x99"), (fields, len(spelled)))
    return packet_row("spelled", fields, hexed(header))


def beyond() -> Iterator[Row]:
    """Packets whose last column names the first field that needs more than 64 bits."""
    small = Fields("request", 1, 2, 3, 4, b"payload")
    for excess in 0, 1, 1 << 36, (1 << 136) - TWO_64:
        yield packet_row("beyond", small._replace(tag=TWO_64 + excess), "tag")
        yield packet_row("beyond", small._replace(channel=TWO_64 + excess), "channel")
        yield packet_row("beyond", small._replace(flags=MAX_REQUEST_FLAGS + 1 + excess), "flags")
        yield packet_row("beyond", small._replace(rq_type=TWO_64 - 1 + excess), "request type")
        for kind in "ok", "not-ok":
            large = Fields(kind, 1, 2, MAX_REPLY_FLAGS + 1 + excess, None, b"payload")
            yield packet_row("beyond", large, "flags")
            large = Fields(kind, 1, TWO_64 + excess, MAX_REPLY_FLAGS + 1, None, b"")
            yield packet_row("beyond", large, "tag")
            yield packet_row(
                "beyond", large._replace(tag=2, flags=0, channel=TWO_64 + excess), "channel"
            )
        yield packet_row("beyond", Fields("control", 0, TWO_64 + excess, 0, None, b""), "tag")
    every = Fields("request", TWO_64, TWO_64, MAX_REQUEST_FLAGS + 1, TWO_64 - 1, b"")
    yield packet_row("beyond", every, "tag")
    yield packet_row("beyond", every._replace(tag=2), "flags")
    yield packet_row("beyond", every._replace(tag=2, flags=0), "channel")
    yield packet_row("beyond", every._replace(tag=2, flags=0, channel=2), "request type")


def fields_of_payloads() -> Iterator[Row]:
    """Values of each type of field: the type, the value, its bytes."""
    for name, field in FIELD_TYPES.items():
        for value in field.values:
            spelled = field.write(value)
            same(f"the {name} in {spelled.hex()}", told(field.read(spelled)), told(value))
            yield [name, json.dumps(told(value)), hexed(spelled)]


def floats() -> Iterator[Row]:
    """Floating point numbers as text: what is written, what is read of other texts."""
    for value in float_values():
        spelled = bytes(binary.BSSFloat(value))
        text = binary.BSString.from_bytes(spelled).value
        same(f"the number {text}", bits(binary.BSSFloat.from_bytes(spelled).value), bits(value))
        yield ["written", bits(value), json.dumps(text)]
    for text in golden_malformed.FLOAT_TEXTS:
        spelled = bytes(binary.BSString(text))
        try:
            read = bits(binary.BSSFloat.from_bytes(spelled).value)
        except ValueError as error:
            read = type(error).__name__
        yield ["read", read, json.dumps(text), *golden_malformed.FLOATS_REFUSED.get(text, ())]


def float_values() -> Iterator[float]:
    """Edges of the notations, of the type, powers of ten and of two, and random bit patterns."""
    positive = [
        0.0,
        5e-324,
        2.225073858507201e-308,
        2.2250738585072014e-308,
        sys.float_info.max,
        float("inf"),
    ]
    positive += [
        0.1,
        0.2,
        0.3,
        1 / 3,
        2.5,
        123.456,
        1e22,
        1e23,
        9007199254740993.0,
        1_700_000_000.5,
    ]
    # The last before and the first behind 1e-4 and 1e16, where the notation changes.
    for middle in 1e-4, 1e16:
        (number,) = struct.unpack(">Q", struct.pack(">d", middle))
        positive += [
            struct.unpack(">d", struct.pack(">Q", number + step))[0] for step in (-2, -1, 0, 1, 2)
        ]
    positive += [
        float(f"{digits}e{power}")
        for power in range(-26, 26)
        for digits in ("1", "1.5", "9.999999999999999")
    ]
    positive += [2.0**power for power in range(-1074, 1024, 61)]
    yield from itertools.chain.from_iterable((value, -value) for value in positive)
    yield float("nan")
    rng = random.Random(20240630)
    for _ in range(300):
        yield struct.unpack(">d", struct.pack(">Q", rng.getrandbits(64)))[0]


def random_packets(count: int, seed: int) -> Iterator[Row]:
    """Packets with numbers of every length and payloads of up to 300 bytes."""
    rng = random.Random(seed)

    def number(largest: int) -> int:
        return min(rng.getrandbits(rng.randint(1, 64)), largest)

    for _ in range(count):
        kind = rng.choice(("request", "ok", "not-ok"))
        largest, rq_type = MAX_REPLY_FLAGS, None
        if kind == "request":
            largest, rq_type = MAX_REQUEST_FLAGS, number(TWO_64 - 2)
        channel = rng.choice((0, number(TWO_64 - 1)))
        payload = rng.randbytes(rng.choice((0, rng.randint(1, 20), rng.randint(100, 300))))
        yield packet_row(
            "packet", Fields(kind, channel, number(TWO_64 - 1), number(largest), rq_type, payload)
        )


PACKET_COLUMNS = "kind, channel, tag, flags, type, payload, the bytes before it"
FILES: dict[str, Any] = {
    "varints.txt": (varints, "number and padded: value, bytes; cut: exception, bytes"),
    "packets.txt": (
        packets,
        f"{PACKET_COLUMNS}; spelled: others that are the same; beyond: what exceeds 64 bits",
    ),
    "fields.txt": (fields_of_payloads, "type, value, bytes"),
    "floats.txt": (
        floats,
        "written: bits, text; read: bits or exception, text, why packetstream refuses it",
    ),
    "malformed.txt": (
        golden_malformed.rows,
        "packet or type of field, bytes, what Python makes of them, what packetstream does, why that is not the same",
    ),
}


def written(rows: Iterable[Row], columns: str) -> str:
    """The text of a file."""
    versions = " and ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("cs.packetstream", "cs.binary")
    )
    head = f"# Made by tests/python/golden.py with {versions}; not to be edited.\n# {columns}\n"
    return head + "".join("\t".join(row) + "\n" for row in rows)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Makes the golden vectors.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument(
        "--random", type=int, metavar="N", help="write N random packets to standard output"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    return parser.parse_args()


def main() -> int:
    """Run one command."""
    options = arguments()
    if options.random is not None:
        sys.stdout.write(written(random_packets(options.random, options.seed), PACKET_COLUMNS))
        return 0
    wrong: list[str] = []
    FOLDER.mkdir(exist_ok=True)
    for name, (rows, columns) in FILES.items():
        text = written(rows(), columns)
        path = FOLDER / name
        if not options.check:
            path.write_text(text, encoding="ascii")
        elif not path.exists() or path.read_text(encoding="ascii") != text:
            wrong.append(name)
    unknown = sorted({entry.name for entry in FOLDER.iterdir()} - set(FILES))
    if wrong or unknown:
        sys.stderr.write(
            f"golden.py: not as this script makes them: {', '.join(wrong + unknown)}\n"
        )
        return 1
    print(
        f"golden vectors: {len(FILES)} files {'are as they should be' if options.check else 'written'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
