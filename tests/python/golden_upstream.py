"""The pinned packages as golden.py asks them: packets by their fields, and types of fields by name."""

from __future__ import annotations

import importlib
import itertools
import struct
import sys
from typing import Any, Callable, NamedTuple, Optional

try:
    binary: Any = importlib.import_module("cs.binary")
    buffer: Any = importlib.import_module("cs.buffer")
    packetstream: Any = importlib.import_module("cs.packetstream")
except ImportError as missing:
    sys.stderr.write(
        f"golden.py: {missing}; run tests/python/setup, then use target/python/bin/python\n"
    )
    sys.exit(2)


def hexed(data: bytes) -> str:
    """Bytes as a column."""
    parts = [""]
    for byte, run in itertools.groupby(data):
        count = len(list(run))
        if count > 16:
            parts += [f"{byte:02x}*{count}", ""]
        else:
            parts[-1] += f"{byte:02x}" * count
    return " ".join(filter(None, parts)) or "-"


def same(what: str, seen: Any, wanted: Any) -> None:
    """End the program unless the packages agree with themselves."""
    if seen != wanted:
        sys.stderr.write(f"golden.py: {what}: {seen}, not {wanted}\n")
        sys.exit(1)


class Fields(NamedTuple):
    """A packet as this side of the wire has it: the application's type and flags."""

    kind: str  # request, ok, not-ok or control
    channel: int
    tag: int
    flags: int
    rq_type: Optional[int]  # of a request only
    payload: bytes

    @property
    def is_request(self) -> bool:
        """Whether a type follows on the wire; of a control packet it is 0."""
        return self.kind in ("request", "control")

    @property
    def wire_type(self) -> Optional[int]:
        """The type as it is on the wire."""
        if not self.is_request:
            return None
        return 0 if self.rq_type is None else self.rq_type + 1

    @property
    def wire_flags(self) -> int:
        """The flags as the packages have them: those of a response with `ok` below them."""
        return self.flags if self.is_request else self.flags << 1 | (self.kind == "ok")

    def columns(self) -> list[str]:
        """The fields as columns."""
        rq_type = "-" if self.rq_type is None else str(self.rq_type)
        return [
            self.kind,
            str(self.channel),
            str(self.tag),
            str(self.flags),
            rq_type,
            hexed(self.payload),
        ]

    def wire(self, explicit_channel: Optional[bytes] = None) -> list[tuple[str, bytes]]:
        """The numbers of the body with their names; a channel that is 0 is among them only if it is given."""
        has_channel = self.channel != 0 or explicit_channel is not None
        numbers = [
            ("tag", self.tag),
            ("flags", self.wire_flags << 2 | self.is_request << 1 | has_channel),
        ]
        spelled = [(name, bytes(binary.BSUInt(value))) for name, value in numbers]
        if has_channel:
            spelled.append(("channel", explicit_channel or bytes(binary.BSUInt(self.channel))))
        if self.is_request:
            spelled.append(("request type", bytes(binary.BSUInt(self.wire_type))))
        return spelled


def packet(fields: Fields) -> Any:
    """The upstream packet with these fields."""
    return packetstream.Packet(
        is_request=fields.is_request,
        channel=fields.channel,
        tag=fields.tag,
        flags=fields.wire_flags,
        rq_type=fields.wire_type,
        payload=fields.payload,
    )


def read_packet(data: bytes) -> tuple[Fields, int]:
    """The packet that the bytes begin with, and how many of them are its own; else upstream's exception."""
    source = buffer.CornuCopyBuffer([data] if data else [])
    read = packetstream.Packet.parse(source)
    rq_type, flags = None, read.flags
    if not read.is_request:
        kind = "ok" if read.flags & 1 else "not-ok"
        flags >>= 1
    elif read.rq_type == 0:
        kind = "control"
    else:
        kind, rq_type = "request", read.rq_type - 1
    return Fields(kind, read.channel, read.tag, flags, rq_type, bytes(read.payload)), source.offset


def bits(value: float) -> str:
    """A number as the digits of its 64 bits; `nan` has many."""
    return "nan" if value != value else struct.pack(">d", value).hex()


def told(value: Any) -> Any:
    """A value as JSON has it: bytes as in a column, floating point numbers as their bits."""
    if isinstance(value, bytes):
        return hexed(value)
    if isinstance(value, float):
        return bits(value)
    return [told(part) for part in value] if isinstance(value, list) else value


class Field(NamedTuple):
    """A type of field: values of it, and how upstream writes and reads them. Several fields in a row are a list."""

    values: list[Any]
    write: Callable[[Any], bytes]
    read: Callable[[bytes], Any]


def single(upstream: Any, values: list[Any]) -> Field:
    """A type of one value."""
    return Field(
        values, lambda value: bytes(upstream(value)), lambda data: upstream.from_bytes(data).value
    )


def multiple(
    make: Callable[[list[Any]], Any], tell: Callable[[Any], list[Any]], values: list[list[Any]]
) -> Field:
    """A type of several values."""
    upstream = type(make(values[0]))
    return Field(
        values, lambda parts: bytes(make(parts)), lambda data: tell(upstream.from_bytes(data))
    )


def integer(code: str, bits: int, upstream: Any = None) -> Field:
    """A fixed width; a code of `struct` where upstream has no name for it."""
    edges = {0, 1, (1 << bits) - 1, 1 << bits - 1}
    if code[-1].islower():
        edges = {0, 1, -1, -2, -(1 << bits - 1), (1 << bits - 1) - 1}
    edges.add(int.from_bytes(bytes(range(1, bits // 8 + 1)), "big"))
    return single(upstream or binary.BinarySingleStruct("Number", code), sorted(edges))


def floating(code: str, upstream: Any = None) -> Field:
    """A floating point number of fixed width."""
    largest, smallest = sys.float_info.max, 5e-324
    if struct.calcsize(code) == 4:
        largest, smallest = struct.unpack(">ff", bytes.fromhex("7f7fffff00000001"))
    values = [0.0, -0.0, 1.0, -2.5, largest, smallest, float("inf"), -float("inf"), float("nan")]
    return single(upstream or binary.BinarySingleStruct("Number", code), values)


def fixed_widths() -> dict[str, Field]:
    """Those that upstream names, and those of `struct` that it does not."""
    found = {"UInt8": integer(">B", 8, binary.UInt8), "Int8": integer(">b", 8)}
    for order, sign in ("BE", ">"), ("LE", "<"):
        for width, code in (16, "h"), (32, "i"), (64, "q"):
            for kind, letter in ("UInt", code.upper()), ("Int", code):
                name = f"{kind}{width}{order}"
                found[name] = integer(sign + letter, width, getattr(binary, name, None))
        found[f"Float64{order}"] = floating(sign + "d", getattr(binary, f"Float64{order}"))
        found[f"Float32{order}"] = floating(sign + "f")
    return found


def list_to_the_end(values: list[list[int]]) -> Field:
    """Numbers up to the end of the payload. Upstream has no way to make a list but to read one."""

    def read(data: bytes) -> list[int]:
        return [
            element.value
            for element in binary.BinaryListValues.from_bytes(data, pt=binary.BSUInt).values
        ]

    return Field(
        values, lambda numbers: b"".join(bytes(binary.BSUInt(number)) for number in numbers), read
    )


Bytes4 = binary.BinaryFixedBytes("Bytes4", 4)
Telegram = binary.BinaryMultiStruct("Telegram", ">HbI", "kind sign count")
Sample = binary.BinaryMultiValue(
    "Sample", dict(n=binary.BSUInt, d=binary.BSData, s=binary.BSString, f=binary.BSSFloat)
)
Outer = binary.BinaryMultiValue("Outer", dict(a=binary.UInt16BE, sample=Sample, z=binary.UInt8))
Empty = binary.BinaryMultiValue("Empty", {})


def sample(parts: list[Any]) -> Any:
    """Upstream's value of these parts."""
    return Sample(**dict(zip("ndsf", parts)))


def sample_parts(value: Any) -> list[Any]:
    """The parts of upstream's value."""
    return [value.n, value.d, value.s, value.f]


INTEGERS = [
    0,
    1,
    2,
    127,
    128,
    300,
    16383,
    16384,
    65535,
    65536,
    (1 << 32) - 1,
    1 << 32,
    1 << 63,
    (1 << 64) - 1,
]
DATA = [b"", b"\0", b"abc", bytes(range(256)), b"\x5a" * 127, b"\x5a" * 128, b"\x5a" * 16384]
TEXTS = [
    "",
    "a",
    "hello",
    "\0",
    "Gr\u00fc\u00dfe",
    "\u20ac",
    "\U0001f30d",
    "\ufeff\uffff\U0010ffff",
    '\t"\\\n',
]
TEXTS += ["x" * 127, "x" * 128, "\u00e9" * 64, "\u20ac" * 43]
SAMPLES: list[list[Any]] = [
    [0, b"", "", 0.0],
    [300, b"abc", "hello", 0.1],
    [(1 << 64) - 1, bytes(range(256)), "Gr\u00fc\u00dfe \U0001f30d", -1.5e300],
]

FIELD_TYPES: dict[str, Field] = {
    "uint": single(binary.BSUInt, INTEGERS),
    "data": single(binary.BSData, DATA),
    "text": single(binary.BSString, TEXTS),
    "float": single(binary.BSSFloat, [0.0, -2.5, 0.1, 1e16, float("inf"), float("nan")]),
    "bytes4": multiple(
        lambda parts: Bytes4(*parts), lambda value: [bytes(value)], [[b"abcd"], [b"\xff\0\xfe\1"]]
    ),
    "telegram": multiple(
        lambda parts: Telegram(*parts),
        lambda value: [value.kind, value.sign, value.count],
        [[0, 0, 0], [1, -2, 3], [0xFFFF, -128, 0xFFFFFFFF]],
    ),
    "sample": multiple(sample, sample_parts, SAMPLES),
    "outer": multiple(
        lambda parts: Outer(a=parts[0], sample=sample(parts[1]), z=parts[2]),
        lambda value: [value.a, sample_parts(value.sample), value.z],
        [[index * 257, parts, index] for index, parts in enumerate(SAMPLES)],
    ),
    "empty": multiple(lambda parts: Empty(), lambda value: [], [[]]),
    "list": list_to_the_end([[], [0], [1, 300], INTEGERS]),
    **fixed_widths(),
}
