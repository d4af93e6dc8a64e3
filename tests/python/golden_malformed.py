"""What is malformed, for golden.py: bytes, and what packetstream is to make of them."""

from __future__ import annotations

import json
from typing import Iterator, NamedTuple

from golden_upstream import FIELD_TYPES, SAMPLES, Fields, binary, hexed, packet, read_packet, told

BOUND = "a number has at most 64 bits and 10 bytes here, Python has no bound"
AT_ONCE = "what exceeds the bound is refused before the rest of it has come"
SAME = "same"

# Texts that Python's float() is asked for: signs, blanks, underscores, names, what is none, edges.
# fmt: off
FLOAT_TEXTS = [
    "1", "0", "-0", "+5", ".5", "5.", "-.5", "00012", "1e3", "1E3", "1e+3", "1e-3", "1.e5", "0e0",
    "1e0003",
    " 1", "1 ", "\t1\n", "\r\n1\x0b\x0c", "\x1c1\x1d", "\x1e1\x1f", "\x1c1\xa0", "\x851\xa0",
    "\u16801\u2000", "\u20281\u2029",
    "\u202f1\u205f", "\u30001", "\u200b1", "\u180e1", "\ufeff1", "1 2", "- 1", "1\0", "\0001",
    "\x001\0",
    "1_000", "1_000.000_1", "1e1_0", "1_0e1_0", "_1", "1_", "1__0", "1_.5", "1._5", "1_e5", "1e_5",
    "_", "+_1",
    "inf", "-inf", "+inf", "INF", "Infinity", "-iNfInItY", "infinit", "in_f", "inf_", " inf ",
    "infinity_",
    "nan", "NaN", "+nan", "-nan", "nan(1)", "na_n", "snan", "1nan",
    "", " ", "\n", ".", "+", "-", "e5", ".e5", "1e", "1e+", "+-1", "--1", "1-", "1.2.3", "1e5e5",
    "1e5.5", "1,5",
    "0x10", "0x1p3", "0b1", "0o7", "1f", "1d5", "1L", "1j", "ten", "True", "None", "\u2212" + "1",
    "\u221e", "\u00bd",
    "1e308", "1.7976931348623157e308", "1.7976931348623159e308", "1e309", "-1e400",
    "1e999999999999999999999",
    "5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "1e-400",
    "-1e-999999999999999999999",
    # Half way between two numbers, and a hair above it.
    "9007199254740993", "9007199254740993." + "0" * 100 + "1", "0." + "1" * 800, "1" + "0" * 308,
    "1" * 310,
    "\u0661", "\uff11\uff0e\uff15", "\uff11.\uff15", "\u0967e\u0968", "1_\u0661", "\U0001d7d8",
]
# fmt: on
SCRIPTS = "digits of other scripts, which no program writes"
FLOATS_REFUSED = {
    text: (SCRIPTS,)
    for text in ("\u0661", "\uff11.\uff15", "\u0967e\u0968", "1_\u0661", "\U0001d7d8")
}


class Malformed(NamedTuple):
    """Bytes and what packetstream makes of them: `same` as Python, or a field and what is wrong with it."""

    data: bytes
    ours: str
    why: str = ""  # if Python makes something else of them


def rows() -> Iterator[list[str]]:
    """The rows of the file: packets, then payloads."""
    for case in dict.fromkeys(packets()):
        yield [
            "packet",
            hexed(case.data),
            ",".join(outcome_of_packet(case.data)),
            case.ours,
            case.why or "-",
        ]
    for name, case in dict.fromkeys(payloads()):
        yield [
            name,
            hexed(case.data),
            outcome_of_payload(name, case.data),
            case.ours,
            case.why or "-",
        ]


def outcome_of_packet(data: bytes) -> list[str]:
    """What upstream makes of the bytes: an exception, or a packet and how many bytes are left behind it."""
    try:
        fields, taken = read_packet(data)
    except Exception as error:  # which one is what is asked
        return [type(error).__name__]
    return [*fields.columns(), str(len(data) - taken)]


def outcome_of_payload(name: str, data: bytes) -> str:
    """What upstream makes of the payload: an exception, or a value."""
    try:
        return json.dumps(told(FIELD_TYPES[name].read(data)))
    except Exception as error:  # which one is what is asked
        return type(error).__name__


def packets() -> Iterator[Malformed]:
    """Whole streams, each with what is wrong in its first packet."""
    yield Malformed(b"", "length cut")
    yield Malformed(b"\0", "tag cut")
    yield Malformed(b"\0\1\2\3", "tag cut")
    yield Malformed(b"\x80\0", "tag cut")
    full = Fields("request", 300, 300, 0x1234, 20000, b"payload")
    for fields in (
        full,
        full._replace(channel=0),
        full._replace(tag=2, channel=1, flags=0, rq_type=0),
        Fields("ok", 300, 300, 0x1234, None, b"payload"),
        Fields("not-ok", 0, 2, 0, None, b""),
        Fields("control", 0, 1, 0, None, b""),
    ):
        yield from cut_bodies(fields)
        yield from cut_streams(fields)
        yield from padded(fields)
    yield from endless()
    yield from foreign()
    # A length that is one short or one long shifts what follows; nobody can know.
    two = bytes(packet(full)) + bytes(packet(full._replace(tag=2)))
    for shift in -1, 1:
        yield Malformed(bytes([two[0] + shift]) + two[1:], SAME)
    # Bits of the word against what follows: a channel that is none, a request without a type.
    yield Malformed(b"\2\2\1", "channel cut")
    yield Malformed(b"\2\2\2", "request type cut")
    yield Malformed(b"\3\2\3\1", "request type cut")
    yield Malformed(b"\3\2\0\1", SAME)


def framed(body: bytes) -> bytes:
    """The body with its length."""
    return bytes(binary.BSUInt(len(body))) + body


def cut_bodies(fields: Fields) -> Iterator[Malformed]:
    """Bodies that end within each field; the bytes of the next packet do not help."""
    before = b""
    for name, spelled in fields.wire():
        for cut in range(len(spelled)):
            body = before + spelled[:cut]
            yield Malformed(framed(body), f"{name} cut")
            yield Malformed(framed(body) + b"\3\0\2\0", f"{name} cut")
        before += spelled


def cut_streams(fields: Fields) -> Iterator[Malformed]:
    """Streams that end within a packet, and one that does not end behind it."""
    whole = bytes(packet(fields))
    for cut in range(1, len(whole)):
        yield Malformed(whole[:cut], "length cut")
    yield Malformed(whole + b"\x99", SAME)


def padded(fields: Fields) -> Iterator[Malformed]:
    """Numbers of 10 bytes and of more, and numbers beyond 64 bits, in place of each field."""
    numbers = fields.wire()
    for at, (name, spelled) in enumerate(numbers):
        before = b"".join(number for _, number in numbers[:at])
        after = b"".join(number for _, number in numbers[at + 1 :]) + fields.payload
        ten = b"\x80" * (10 - len(spelled)) + spelled
        yield Malformed(framed(before + ten + after), SAME)
        for more in 1, 2, 20:
            yield Malformed(
                framed(before + b"\x80" * more + ten + after), f"{name} too long", BOUND
            )
        for excess in 0, 2, 1 << 70:
            # The lowest bits, which say what follows, as they were.
            value = binary.BSUInt.from_bytes(spelled).value + (1 << 64) + (excess << 8)
            too_large = bytes(binary.BSUInt(value))
            yield Malformed(framed(before + too_large + after), f"{name} too large", BOUND)
    body = b"".join(number for _, number in numbers) + fields.payload
    length = bytes(binary.BSUInt(len(body)))
    ten = b"\x80" * (10 - len(length)) + length
    yield Malformed(ten + body, SAME)
    yield Malformed(b"\x80" + ten + body, "length too long", BOUND)


def endless() -> Iterator[Malformed]:
    """Lengths that nobody sends that much for, and numbers without an end."""
    for value in 1 << 31, 1 << 62, (1 << 64) - 1:
        yield Malformed(bytes(binary.BSUInt(value)) + b"\2\4", "length cut")
    yield Malformed(bytes(binary.BSUInt(1 << 64)) + b"\2\4", "length too large", AT_ONCE)
    yield Malformed(b"\xff" * 9, "length cut")
    yield Malformed(b"\x80" * 9, "length cut")
    for count in 10, 30:
        yield Malformed(b"\xff" * count, "length too large", AT_ONCE)
        yield Malformed(b"\x80" * count, "length too long", AT_ONCE)
        yield Malformed(framed(b"\xff" * count), "tag too large", AT_ONCE)
        yield Malformed(framed(b"\x80" * count), "tag too long", AT_ONCE)


def foreign() -> Iterator[Malformed]:
    """What programs of other protocols say first."""
    yield Malformed(b"SSH-2.0-OpenSSH_9.6\r\n", "length cut")
    yield Malformed(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "length cut")
    yield Malformed(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: somebody\r\nAccept: text/html\r\n\r\n",
        SAME,
    )
    yield Malformed(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "length cut")
    yield Malformed(bytes.fromhex("1603010200010001fc0303") + bytes(range(32)), SAME)
    yield Malformed(b'{"jsonrpc": "2.0"}\n', "length cut")


def payloads() -> Iterator[tuple[str, Malformed]]:
    """Payloads of each type of field."""
    for name, pieces in pieces_of_payloads().items():
        yield from ((name, case) for case in cut_payloads(pieces))
    for data, ours in (
        (b"\x81\0", SAME),
        (b"\x80\0", SAME),
        (b"\x80" * 9 + b"\5", SAME),
        (b"\xff" * 9, "short"),
        (b"\x80" * 9, "short"),
    ):
        yield "uint", Malformed(data, ours)
    yield "uint", Malformed(b"\x80" * 10 + b"\5", "number too long", BOUND)
    yield "uint", Malformed(bytes(binary.BSUInt(1 << 64)), "number too large", BOUND)
    yield "uint", Malformed(bytes(binary.BSUInt(1 << 128)), "number too large", BOUND)
    for name in "data", "text", "float":
        yield name, Malformed(bytes(binary.BSUInt(1 << 63)) + b"1", "short")
        yield name, Malformed(b"\x80\x011", SAME)
        yield name, Malformed(b"\x80" * 10 + b"\x011", "number too long", BOUND)
        yield name, Malformed(bytes(binary.BSUInt(1 << 64)) + b"1", "number too large", AT_ONCE)
    for text in INVALID_UTF8:
        yield "text", Malformed(bytes(binary.BSData(text)), "not utf-8")
        yield "float", Malformed(bytes(binary.BSData(text)), "not utf-8")
    for text in b"ten", b"", b"0x10", b"1__0":
        yield "float", Malformed(bytes(binary.BSData(text)), "not a float")
    for data in b"\x82", b"\1\x82", b"\1\x82\x2c\x80":
        yield "list", Malformed(data, "short List.values", "Python drops an element that is cut")


def cut_payloads(pieces: list[tuple[str, bytes]]) -> Iterator[Malformed]:
    """A payload of these fields that is cut anywhere, and one with a byte too many."""
    before = b""
    for name, spelled in pieces:
        for cut in range(len(spelled)):
            yield Malformed(before + spelled[:cut], f"short {name}".rstrip())
        before += spelled
    yield Malformed(before + b"\x99", "left over")


def pieces_of_payloads() -> dict[str, list[tuple[str, bytes]]]:
    """A value of each type of field but `list`, in pieces: where they have names, those of the fields."""
    values = {
        name: field.values[2 % len(field.values)]
        for name, field in FIELD_TYPES.items()
        if name != "list"
    }
    pieces = {name: [("", FIELD_TYPES[name].write(value))] for name, value in values.items()}
    types = (("n", "uint"), ("d", "data"), ("s", "text"), ("f", "float"))
    sample = [
        (f"Sample.{name}", FIELD_TYPES[kind].write(part))
        for (name, kind), part in zip(types, SAMPLES[1])
    ]
    telegram = pieces["telegram"][0][1]
    pieces["sample"] = sample
    pieces["outer"] = [("Outer.a", b"\1\2"), *sample, ("Outer.z", b"\3")]
    pieces["telegram"] = [
        ("Telegram.kind", telegram[:2]),
        ("Telegram.sign", telegram[2:3]),
        ("Telegram.count", telegram[3:]),
    ]
    return pieces


# Stray, missing and overlong continuations, surrogates, what is beyond Unicode.
INVALID_UTF8 = [
    bytes.fromhex(digits)
    for digits in (
        "ff fe 80 bf c3 61c3 c328 c080 c1bf e282 e28228 e08080 e09fbf eda080 edbfbf eda080edb080 "
        "f0808080 f08fbfbf f0908d f4908080 f5808080 f8888080 fc8080808080 c3a9ff"
    ).split()
]
