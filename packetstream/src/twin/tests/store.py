"""Chunks by their hash.

# Order

Those of `HashCode`.

Made by packetstream from the declarations of `Store`, for cs.packetstream: a test
over there keeps it true, so do not edit it.

A side of a connection asks so:

    side = Store((receive, send), packet_grace=0)
    with side.conn:
        reply = side.conn_do_remote(AddRequest(...))

and answers so:

    class Server(Store):
        def fulfil_add(self, request):
            return ...  # the reply

    server = Server((receive, send), packet_grace=0)
    with server.conn:
        server.conn.join_recv()

Bytes that are none of the protocol are a ValueError. cs.packetstream turns any
exception of a method into a failure without words and cannot send a declared one;
received ones are told by `request.ask(side.conn)`, which raises RequestFailed.
What the declarations assert beyond the encodings is not checked here.

What is written by hand has to be put into BY_HAND before use:

* x and <y>
"""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from typing import Any, Callable, ClassVar, Sequence

from cs.packetstream import BaseRequest, HasPacketConnection


class RequestFailed(ValueError):
    """A response that is not ok: in words, or a failure that the request declares."""

    def __init__(self, flags: int, payload: bytes, failure: Any) -> None:
        words = payload.decode("utf-8", "replace")
        super().__init__(words if failure is None else repr(failure))
        #: Of the response.
        self.flags = flags
        #: Of the response: words, unless a failure is declared.
        self.payload = payload
        #: The declared failure; None if there is none.
        self.failure = failure


class _Request(BaseRequest):
    """What all requests have in common."""

    RQ_TYPE: ClassVar[int]
    _payload: ClassVar[_Codec]
    _reply: ClassVar[_Reply]
    _failure: ClassVar[_Codec | None] = None

    @property
    def flags(self) -> int:
        """The flags that the request travels with."""
        return _packet(self._payload, self, _MAX_REQUEST_FLAGS)[0]

    def transcribe(self) -> bytes:
        """Return the payload that the request travels with."""
        return _packet(self._payload, self, _MAX_REQUEST_FLAGS)[1]

    @classmethod
    def parse(cls, bfr: Any) -> Any:
        """Read a request without flags, which takes all that the buffer has."""
        return cls.from_request_payload(0, b"".join(bytes(part) for part in bfr))

    @classmethod
    def from_request_payload(cls, flags: int, payload: bytes) -> Any:
        """Read a request as it arrived; raise ValueError if it is none."""
        reader = _Reader(payload, flags)
        request = cls._payload.parse(reader)
        reader.finish()
        return request

    def decode_response_payload(self, flags: int, payload: bytes) -> Any:
        """Read the reply in an ok response; raise ValueError if it is none."""
        return self._reply.parse(flags, payload)

    @classmethod
    def reply(cls, value: Any) -> tuple[int, bytes]:
        """Return the result of `fulfil` that answers with this reply."""
        return cls._reply.transcribe(value)

    @classmethod
    def decode_failure(cls, flags: int, payload: bytes) -> Any:
        """Read the declared failure in a response that is not ok; None if it is words."""
        if cls._failure is None or not flags & 1:
            return None
        return _from_packet(cls._failure, flags >> 1, payload)

    def ask(self, conn: Any) -> Any:
        """Ask this over a PacketConnection, and wait for the reply.

        As `conn_do_remote`, which knows nothing of declared failures: a response that
        is not ok is raised as RequestFailed. The connection may serve other requests.
        """
        result = conn.submit(self.RQ_TYPE, self.flags, self.transcribe())
        ok, flags, payload = result()
        if ok:
            return self.decode_response_payload(flags, payload)
        raise RequestFailed(flags, payload, self.decode_failure(flags, payload))


@dataclass(frozen=True, order=True)
class HashCode:
    """The SHA-1 of a chunk."""

    value: bytes


class Full:
    """Why nothing more is taken."""


@dataclass(frozen=True)
class FullDisk(Full):
    pass


@dataclass(frozen=True)
class FullQuota(Full):
    """Of this client | and its kin."""

    limit: int
    #: In bytes.
    used: int


@dataclass(frozen=True)
class Node:
    weight: float
    children: list[Node]
    pages: tuple[list[Page], dict[str, Page2]]
    is_leaf: bool = False
    parent: Node | None = None


@dataclass(frozen=True)
class Page:
    items: list[int]


@dataclass(frozen=True)
class Page2:
    items: list[str]


@dataclass
class AddRequest(_Request):
    """Stores a chunk.

    Reply: HashCode
    Declared failure: Full
    Limits: at most 1048576 bytes, within 5s
    """

    RQ_TYPE = 0

    value: bytes

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_add(self))


@dataclass
class GetRequest(_Request):
    """The SHA-1 of a chunk.

    Reply: bytes | None
    """

    RQ_TYPE = 1

    value: bytes

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_get(self))


@dataclass
class HashCodesRequest(_Request):
    """Lists hashes.

    Lists what is stored.

    Reply: list[HashCode]
    Limits: at most 4 at once, ordered, idempotent
    """

    RQ_TYPE = 4

    #: How many.
    #:
    #: Not shown in a table.
    length: int
    #: The last first.
    reverse: bool = False
    inclusive: bool = True
    #: Where to begin.
    start: HashCode | None = None

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_hash_codes(self))


@dataclass
class TreeRequest(_Request):
    """The request 5, `Tree`.

    Reply: Node
    """

    RQ_TYPE = 5

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_tree(self))


@dataclass
class PutRequest(_Request):
    """The request 6, `Put`.

    Reply: None
    """

    RQ_TYPE = 6

    body: bytes
    value: Full
    pair: tuple[bool | None, list[int]]
    bits: int = 0
    more: str | None = None

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_put(self))


@dataclass
class CustomRequest(_Request):
    """The request 7, `Custom`.

    Reply: tuple[int, bytes]
    """

    RQ_TYPE = 7

    value: Any

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_custom(self))


class Store(HasPacketConnection):
    """A side of a connection: the other one is asked, this one answers."""

    def __init__(self, recv_send: Any, name: Any = None, **packet_kw: Any) -> None:
        super().__init__(recv_send, name, rq_type_map=RQ_TYPE_MAP, **packet_kw)

    def fulfil_add(self, request: AddRequest) -> HashCode:
        """Stores a chunk."""
        raise NotImplementedError("fulfil_add")

    def fulfil_get(self, request: GetRequest) -> bytes | None:
        """The SHA-1 of a chunk."""
        raise NotImplementedError("fulfil_get")

    def fulfil_hash_codes(self, request: HashCodesRequest) -> list[HashCode]:
        """Lists hashes."""
        raise NotImplementedError("fulfil_hash_codes")

    def fulfil_tree(self, request: TreeRequest) -> Node:
        """The request 5, `Tree`."""
        raise NotImplementedError("fulfil_tree")

    def fulfil_put(self, request: PutRequest) -> None:
        """The request 6, `Put`."""
        raise NotImplementedError("fulfil_put")

    def fulfil_custom(self, request: CustomRequest) -> tuple[int, bytes]:
        """The request 7, `Custom`."""
        raise NotImplementedError("fulfil_custom")


RQ_TYPE_MAP: dict[int, type[BaseRequest]] = {
    0: AddRequest,
    1: GetRequest,
    4: HashCodesRequest,
    5: TreeRequest,
    6: PutRequest,
    7: CustomRequest,
}


# What the bytes are.


class _Reader:
    """Reads values off a payload, front to back."""

    def __init__(self, payload: bytes, flags: int | None = None) -> None:
        self._payload = payload
        self._at = 0
        self._end = len(payload)
        self._flags = flags  # of the packet, until the value that fills it takes them
        self._depth = 0

    @property
    def remaining(self) -> int:
        """How many bytes are left, of the payload or of a value whose length was given."""
        return self._end - self._at

    def take(self, count: int) -> bytes:
        """Take so many bytes."""
        if count > self.remaining:
            raise ValueError(f"{count} bytes needed, {self.remaining} left")
        self._at += count
        return self._payload[self._at - count : self._at]

    def uint(self, bits: int = 64) -> int:
        """Take a number of at most so many bits."""
        value = 0
        for byte in self._payload[self._at : min(self._end, self._at + 10)]:
            self._at += 1
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                if value >> bits:
                    raise ValueError(f"{value} exceeds {bits} bits")
                return value
        raise ValueError("number cut short, or longer than 10 bytes")

    def count(self, count: int) -> int:
        """Return the number of values that follow, each of at least one byte."""
        if count > self.remaining:
            raise ValueError(f"{count} values announced, {self.remaining} bytes left")
        return count

    def part(self, parse: Callable[[_Reader], Any]) -> Any:
        """Read a value within another one, which has no part in the packet's flags."""
        flags, self._flags = self._flags, None
        value = self.whole(parse)
        self._flags = flags
        return value

    def whole(self, parse: Callable[[_Reader], Any]) -> Any:
        """Read the value that another one is."""
        self._depth += 1
        if self._depth > 64:
            raise ValueError("more than 64 levels of nesting")
        value = parse(self)
        self._depth -= 1
        return value

    def element(self, parse: Callable[[_Reader], Any]) -> Any:
        """Read a value of a list, which takes at least one byte."""
        before = self._at
        value = self.part(parse)
        if self._at == before:
            raise ValueError("a value takes no bytes")
        return value

    def flags(self, known: int) -> int:
        """Take the flags of a value: those of the packet that it fills, else a number."""
        flags, self._flags = self._flags, None
        if flags is None:
            flags = self.uint()
        if flags & ~known:
            raise ValueError(f"unexpected flags {flags & ~known:#x}")
        return flags

    def delimited(self, parse: Callable[[_Reader], Any]) -> Any:
        """Read a value whose length stands in front of it."""
        length = self.uint()
        if length > self.remaining:
            raise ValueError(f"{length} bytes needed, {self.remaining} left")
        end, self._end = self._end, self._at + length
        value = parse(self)
        self.finish()
        self._end = end
        return value

    def finish(self) -> None:
        """Check that nothing is left."""
        if self.remaining:
            raise ValueError(f"{self.remaining} bytes left over")

    def finish_flags(self) -> None:
        """Check that the packet has no flags that nothing took."""
        if self._flags:
            raise ValueError(f"unexpected flags {self._flags:#x}")


class _Writer:
    """Writes the bytes of values, one behind the other."""

    def __init__(self, is_packet: bool = False) -> None:
        self.data = bytearray()
        self.packet_flags = 0
        self._is_packet = is_packet

    def raw(self, data: bytes) -> None:
        """Write bytes, bare."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"bytes expected, not {type(data).__name__}")
        self.data += data

    def uint(self, value: int, bits: int = 64) -> None:
        """Write a number of at most so many bits."""
        value = operator.index(value)
        if value < 0 or value >> bits:
            raise ValueError(f"{value} does not fit {bits} bits")
        groups = [value & 0x7F]
        while value := value >> 7:
            groups.append(value & 0x7F | 0x80)
        self.data += bytes(reversed(groups))

    def part(self, transcribe: Callable[[Any, _Writer], None], value: Any) -> None:
        """Write a value within another one, which has no part in the packet's flags."""
        is_packet, self._is_packet = self._is_packet, False
        transcribe(value, self)
        self._is_packet = is_packet

    def flags(self, flags: int) -> None:
        """Write the flags of a value: as those of the packet that it fills, else here."""
        if self._is_packet:
            self.packet_flags = flags
        else:
            self.uint(flags)


class _Codec:
    """What the bytes of a value are."""

    def parse(self, reader: _Reader) -> Any:
        """Take a value off a payload; raise ValueError if there is none."""
        raise NotImplementedError

    def transcribe(self, value: Any, out: _Writer) -> None:
        """Append the bytes of a value; raise ValueError if it has none."""
        raise NotImplementedError

    def told(self, number: int) -> Any:
        """Return the value that tells a number of another field."""
        return number


_MAX_REQUEST_FLAGS = (1 << 62) - 1


_MAX_REPLY_FLAGS = (1 << 61) - 1


def _packet(codec: _Codec, value: Any, max_flags: int) -> tuple[int, bytes]:
    """Return the flags and the payload of a packet that a value fills."""
    out = _Writer(is_packet=True)
    codec.transcribe(value, out)
    return _fitting(out.packet_flags, max_flags), bytes(out.data)


def _from_packet(codec: _Codec, flags: int, payload: bytes) -> Any:
    """Return the value that fills a packet."""
    reader = _Reader(payload, flags)
    value = codec.parse(reader)
    reader.finish_flags()
    reader.finish()
    return value


def _fitting(flags: int, max_flags: int) -> int:
    """Return flags that a packet can have."""
    if not 0 <= operator.index(flags) <= max_flags:
        raise ValueError(f"flags {flags:#x} are none that a packet can have")
    return flags


class _Uint(_Codec):
    """A number of at most so many bits, as short as it can be written."""

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def parse(self, reader: _Reader) -> int:
        return reader.uint(self.bits)

    def transcribe(self, value: int, out: _Writer) -> None:
        out.uint(value, self.bits)


class _Bool(_Codec):
    """A number, 0 or 1."""

    def parse(self, reader: _Reader) -> bool:
        return bool(reader.uint(1))

    def transcribe(self, value: bool, out: _Writer) -> None:
        out.uint(value, 1)


class _Float(_Codec):
    """A text of the shortest decimal that reads back to the number."""

    def parse(self, reader: _Reader) -> float:
        text = reader.take(reader.uint()).decode()
        # Digits of other scripts are none here; blanks of theirs are.
        if not text.strip().isascii():
            raise ValueError(f"{text!r} is not a number")
        return float(text)

    def transcribe(self, value: float, out: _Writer) -> None:
        text = str(float(value)).encode()
        out.uint(len(text))
        out.raw(text)


class _FixedInt(_Codec):
    """A number of so many bytes."""

    def __init__(self, size: int, order: Any, signed: bool = False) -> None:
        self.size = size
        self.order = order
        self.signed = signed

    def parse(self, reader: _Reader) -> int:
        return int.from_bytes(reader.take(self.size), self.order, signed=self.signed)

    def transcribe(self, value: int, out: _Writer) -> None:
        value = operator.index(value)
        try:
            out.raw(value.to_bytes(self.size, self.order, signed=self.signed))
        except OverflowError as error:
            raise ValueError(f"{value} does not fit {self.size} bytes") from error


class _Bytes(_Codec):
    """So many bytes, bare."""

    def __init__(self, count: int) -> None:
        self.count = count

    def parse(self, reader: _Reader) -> bytes:
        return reader.take(self.count)

    def transcribe(self, value: bytes, out: _Writer) -> None:
        if len(value) != self.count:
            raise ValueError(f"{self.count} bytes expected, not {len(value)}")
        out.raw(value)


class _Data(_Codec):
    """A length, bytes; or, counted by another field, the bytes."""

    def parse(self, reader: _Reader) -> bytes:
        return self.parse_counted(reader.uint(), reader)

    def transcribe(self, value: bytes, out: _Writer) -> None:
        out.uint(self.count(value))
        self.transcribe_counted(value, out)

    def parse_counted(self, count: int, reader: _Reader) -> bytes:
        return reader.take(count)

    def count(self, value: bytes) -> int:
        return len(value)

    def transcribe_counted(self, value: bytes, out: _Writer) -> None:
        out.raw(value)


class _Text(_Codec):
    """A length in bytes, UTF-8; or, counted by another field, the text."""

    def parse(self, reader: _Reader) -> str:
        return self.parse_counted(reader.uint(), reader)

    def transcribe(self, value: str, out: _Writer) -> None:
        out.uint(self.count(value))
        self.transcribe_counted(value, out)

    def parse_counted(self, count: int, reader: _Reader) -> str:
        return reader.take(count).decode()

    def count(self, value: str) -> int:
        return len(value.encode())

    def transcribe_counted(self, value: str, out: _Writer) -> None:
        out.raw(value.encode())


class _Array(_Codec):
    """So many values."""

    def __init__(self, count: int, value: _Codec) -> None:
        self.count = count
        self.value = value

    def parse(self, reader: _Reader) -> list[Any]:
        return [reader.part(self.value.parse) for _ in range(self.count)]

    def transcribe(self, value: Sequence[Any], out: _Writer) -> None:
        if len(value) != self.count:
            raise ValueError(f"{self.count} values expected, not {len(value)}")
        for element in value:
            out.part(self.value.transcribe, element)


class _Option(_Codec):
    """A number, 0 or 1; if 1, a value."""

    def __init__(self, value: _Codec) -> None:
        self.value = value

    def parse(self, reader: _Reader) -> Any:
        return reader.part(self.value.parse) if reader.uint(1) else None

    def transcribe(self, value: Any, out: _Writer) -> None:
        out.uint(value is not None)
        if value is not None:
            out.part(self.value.transcribe, value)

    def told(self, number: int) -> Any:
        return None if number == 0 else self.value.told(number)


class _List(_Codec):
    """A count, values; or, counted by another field, the values."""

    def __init__(self, value: _Codec) -> None:
        self.value = value

    def parse(self, reader: _Reader) -> list[Any]:
        return self.parse_counted(reader.uint(), reader)

    def transcribe(self, value: Sequence[Any], out: _Writer) -> None:
        out.uint(self.count(value))
        self.transcribe_counted(value, out)

    def parse_counted(self, count: int, reader: _Reader) -> list[Any]:
        return [reader.element(self.value.parse) for _ in range(reader.count(count))]

    def count(self, value: Sequence[Any]) -> int:
        return len(value)

    def transcribe_counted(self, value: Sequence[Any], out: _Writer) -> None:
        for element in value:
            out.part(self.value.transcribe, element)


class _Map(_Codec):
    """A count, keys each with its value. The keys are written in ascending order."""

    def __init__(self, key: _Codec, value: _Codec) -> None:
        self.key = key
        self.value = value

    def parse(self, reader: _Reader) -> dict[Any, Any]:
        entries: dict[Any, Any] = {}
        for _ in range(reader.count(reader.uint())):
            key = reader.part(self.key.parse)
            value = reader.part(self.value.parse)
            if key in entries:
                raise ValueError("the same key twice")
            entries[key] = value
        return entries

    def transcribe(self, value: dict[Any, Any], out: _Writer) -> None:
        out.uint(len(value))
        for key in self.order(value):
            out.part(self.key.transcribe, key)
            out.part(self.value.transcribe, value[key])

    def order(self, value: dict[Any, Any]) -> Sequence[Any]:
        """Return the keys as they are written."""
        return sorted(value)


class _Tuple(_Codec):
    """Values one after the other."""

    def __init__(self, *values: _Codec) -> None:
        self.values = values

    def parse(self, reader: _Reader) -> tuple[Any, ...]:
        return tuple(reader.part(value.parse) for value in self.values)

    def transcribe(self, value: Sequence[Any], out: _Writer) -> None:
        if len(value) != len(self.values):
            raise ValueError(f"{len(self.values)} values expected, not {len(value)}")
        for codec, element in zip(self.values, value):
            out.part(codec.transcribe, element)


class _RestData(_Codec):
    """Bytes to the end, bare."""

    def parse(self, reader: _Reader) -> bytes:
        return reader.take(reader.remaining)

    def transcribe(self, value: bytes, out: _Writer) -> None:
        out.raw(value)


class _RestOption(_Codec):
    """A value, or the end."""

    def __init__(self, value: _Codec) -> None:
        self.value = value

    def parse(self, reader: _Reader) -> Any:
        return reader.part(self.value.parse) if reader.remaining else None

    def transcribe(self, value: Any, out: _Writer) -> None:
        if value is not None:
            out.part(self.value.transcribe, value)


class _RestList(_Codec):
    """Values to the end, back to back."""

    def __init__(self, value: _Codec) -> None:
        self.value = value

    def parse(self, reader: _Reader) -> list[Any]:
        values = []
        while reader.remaining:
            values.append(reader.element(self.value.parse))
        return values

    def transcribe(self, value: Sequence[Any], out: _Writer) -> None:
        for element in value:
            out.part(self.value.transcribe, element)


#: What the protocol writes by hand, under the words that it has for it. Put in what
#: has a method `parse(reader)`, which returns a value or raises ValueError, and a method
#: `transcribe(value, out)`; `reader` and `out` are a `_Reader` and a `_Writer`.
BY_HAND: dict[str, Any] = {}


class _ByHand(_Codec):
    """What is written by hand."""

    def __init__(self, words: str) -> None:
        self.words = words

    def _codec(self) -> Any:
        try:
            return BY_HAND[self.words]
        except KeyError:
            raise NotImplementedError(f"BY_HAND[{self.words!r}] is missing") from None

    def parse(self, reader: _Reader) -> Any:
        return self._codec().parse(reader)

    def transcribe(self, value: Any, out: _Writer) -> None:
        self._codec().transcribe(value, out)


class _Field:
    """A field in its turn."""

    #: The flags that it has to do with.
    known = 0

    def __init__(self, name: str, codec: Any) -> None:
        self.name = name
        self.codec = codec

    def tell(self, values: dict[str, Any], fields: dict[str, _Field]) -> None:
        """Have an earlier field hold what it tells of this one."""

    def bits(self, value: Any) -> int:
        """Return what the flags say of it."""
        return 0

    def parse(self, reader: _Reader, flags: int, values: dict[str, Any]) -> Any:
        """Read its value."""
        return reader.part(self.codec.parse)

    def transcribe(self, value: Any, out: _Writer) -> None:
        """Append its bytes, if it has some."""
        out.part(self.codec.transcribe, value)

    def told(self, number: int) -> Any:
        """Return the value that tells a number of another field."""
        return self.codec.told(number)


class _Whole(_Field):
    """The value under another name."""

    def parse(self, reader: _Reader, flags: int, values: dict[str, Any]) -> Any:
        return reader.whole(self.codec.parse)

    def transcribe(self, value: Any, out: _Writer) -> None:
        self.codec.transcribe(value, out)


class _Flag(_Field):
    """A bit of the flags: set, or clear, if the field is true."""

    def __init__(self, name: str, bit: int, is_set: bool = True) -> None:
        self.name = name
        self.known = 1 << bit
        self.is_set = is_set

    def bits(self, value: bool) -> int:
        return self.known if bool(value) == self.is_set else 0

    def parse(self, reader: _Reader, flags: int, values: dict[str, Any]) -> bool:
        return bool(flags & self.known) == self.is_set

    def transcribe(self, value: bool, out: _Writer) -> None:
        pass


class _IfFlag(_Field):
    """A field in its turn if a bit of the flags is set, or clear; else None."""

    def __init__(self, name: str, bit: int, codec: _Codec, is_set: bool = True) -> None:
        super().__init__(name, codec)
        self.known = 1 << bit
        self.is_set = is_set

    def bits(self, value: Any) -> int:
        return self.known if (value is not None) == self.is_set else 0

    def parse(self, reader: _Reader, flags: int, values: dict[str, Any]) -> Any:
        is_there = bool(flags & self.known) == self.is_set
        return reader.part(self.codec.parse) if is_there else None

    def transcribe(self, value: Any, out: _Writer) -> None:
        if value is not None:
            out.part(self.codec.transcribe, value)

    def told(self, number: int) -> Any:
        return None if number == 0 else self.codec.told(number)


class _AllFlags(_Field):
    """All flags."""

    known = (1 << 64) - 1

    def __init__(self, name: str) -> None:
        self.name = name

    def bits(self, value: int) -> int:
        return value

    def parse(self, reader: _Reader, flags: int, values: dict[str, Any]) -> int:
        return flags

    def transcribe(self, value: int, out: _Writer) -> None:
        pass

    def told(self, number: int) -> int:
        return number


class _Counted(_Field):
    """A field as long as an earlier one says."""

    def __init__(self, name: str, count: str, codec: Any) -> None:
        super().__init__(name, codec)
        self.teller = count

    def tell(self, values: dict[str, Any], fields: dict[str, _Field]) -> None:
        number = self.codec.count(values[self.name])
        values[self.teller] = fields[self.teller].told(number)

    def parse(self, reader: _Reader, flags: int, values: dict[str, Any]) -> Any:
        count = _number(values.pop(self.teller))
        return reader.part(lambda reader: self.codec.parse_counted(count, reader))

    def transcribe(self, value: Any, out: _Writer) -> None:
        out.part(self.codec.transcribe_counted, value)


class _Chosen(_Field):
    """An enum whose variant an earlier field tells."""

    def __init__(self, name: str, number: str, codec: Any) -> None:
        super().__init__(name, codec)
        self.teller = number

    def tell(self, values: dict[str, Any], fields: dict[str, _Field]) -> None:
        number = self.codec.number(values[self.name])
        values[self.teller] = fields[self.teller].told(number)

    def parse(self, reader: _Reader, flags: int, values: dict[str, Any]) -> Any:
        number = _number(values.pop(self.teller))
        return reader.part(lambda reader: self.codec.parse_variant(number, reader))

    def transcribe(self, value: Any, out: _Writer) -> None:
        out.part(self.codec.transcribe_variant, value)


def _number(value: Any) -> int:
    """Return the number that a field tells of another one."""
    while not isinstance(value, int):
        if value is None:
            return 0
        value = value.value
    return value


class _Fields:
    """The fields of a class, in the order of the payload."""

    def __init__(self, make: Any, *fields: _Field) -> None:
        self.make = make
        self.fields = fields
        self._by_name = {field.name: field for field in fields}
        self._known = 0
        for field in fields:
            self._known |= field.known

    def parse(self, reader: _Reader) -> Any:
        flags = None
        values: dict[str, Any] = {}
        for field in self.fields:
            if flags is None and field.known:
                flags = reader.flags(self._known)
            values[field.name] = field.parse(reader, flags or 0, values)
        return self.make(**values)

    def transcribe(self, value: Any, out: _Writer) -> None:
        values = dict(vars(value))
        for field in self.fields:
            field.tell(values, self._by_name)
        flags = 0
        for field in self.fields:
            flags |= field.bits(values[field.name])
        is_written = False
        for field in self.fields:
            if field.known and not is_written:
                out.flags(flags)
                is_written = True
            field.transcribe(values[field.name], out)


class _Struct(_Codec):
    """A constant, if there is one, and fields; its length in front, if it is delimited."""

    def __init__(
        self,
        content: Callable[[], _Fields],
        magic: bytes = b"",
        is_delimited: bool = False,
    ) -> None:
        self._content = content
        self.magic = magic
        self.is_delimited = is_delimited

    @functools.cached_property
    def content(self) -> _Fields:
        return self._content()

    def parse(self, reader: _Reader) -> Any:
        if self.is_delimited:
            return reader.delimited(self._parse)
        return self._parse(reader)

    def _parse(self, reader: _Reader) -> Any:
        if self.magic and reader.take(len(self.magic)) != self.magic:
            raise ValueError(f"expected the constant {self.magic!r}")
        return self.content.parse(reader)

    def transcribe(self, value: Any, out: _Writer) -> None:
        if not isinstance(value, self.content.make):
            raise TypeError(f"{self.content.make.__name__} expected, not {value!r}")
        start = len(out.data)
        out.raw(self.magic)
        self.content.transcribe(value, out)
        if self.is_delimited:
            inner = bytes(out.data[start:])
            del out.data[start:]
            out.uint(len(inner))
            out.raw(inner)

    def told(self, number: int) -> Any:
        (field,) = self.content.fields
        return self.content.make(field.told(number))


class _Enum(_Codec):
    """The number of a variant, and its fields."""

    def __init__(self, variants: Callable[[], dict[int, _Fields]]) -> None:
        self._variants = variants

    @functools.cached_property
    def variants(self) -> dict[int, _Fields]:
        return self._variants()

    @functools.cached_property
    def _numbers(self) -> dict[Any, int]:
        return {fields.make: number for number, fields in self.variants.items()}

    def parse(self, reader: _Reader) -> Any:
        return self.parse_variant(reader.uint(), reader)

    def transcribe(self, value: Any, out: _Writer) -> None:
        out.uint(self.number(value))
        self.transcribe_variant(value, out)

    def parse_variant(self, number: int, reader: _Reader) -> Any:
        if number not in self.variants:
            raise ValueError(f"no variant {number}")
        return self.variants[number].parse(reader)

    def number(self, value: Any) -> int:
        if type(value) not in self._numbers:
            raise TypeError(f"{value!r} is none of the variants")
        return self._numbers[type(value)]

    def transcribe_variant(self, value: Any, out: _Writer) -> None:
        self.variants[self.number(value)].transcribe(value, out)


def to_bytes(value: Any) -> bytes:
    """Return the bytes of a value of a class of this module, as they are within a payload."""
    for cls in type(value).__mro__:
        if cls in _CODECS:
            out = _Writer()
            _CODECS[cls].transcribe(value, out)
            return bytes(out.data)
    raise TypeError(f"{value!r} is none of the values here")


def from_bytes(cls: Any, data: bytes) -> Any:
    """Return the value of a class of this module that has these bytes."""
    reader = _Reader(data)
    value = _CODECS[cls].parse(reader)
    reader.finish()
    return value


def list_from_bytes(cls: Any, data: bytes) -> list[Any]:
    """Return the values of a class of this module that have these bytes, back to back."""
    return _RestList(_CODECS[cls]).parse(_Reader(data))


class _Reply:
    """What an ok response is."""

    def parse(self, flags: int, payload: bytes) -> Any:
        """Read the reply; raise ValueError if it is none."""
        raise NotImplementedError

    def transcribe(self, value: Any) -> tuple[int, bytes]:
        """Return the flags and the payload of the response."""
        raise NotImplementedError


class _Nothing(_Reply):
    """No flags, no payload."""

    def parse(self, flags: int, payload: bytes) -> None:
        if flags or payload:
            raise ValueError(f"flags {flags:#x} and {len(payload)} bytes left over")

    def transcribe(self, value: None) -> tuple[int, bytes]:
        if value is not None:
            raise TypeError(f"None expected, not {value!r}")
        return 0, b""


class _FlagsAndDataReply(_Reply):
    """A number in the flags, bytes in the payload."""

    def parse(self, flags: int, payload: bytes) -> tuple[int, bytes]:
        return flags, payload

    def transcribe(self, value: tuple[int, bytes]) -> tuple[int, bytes]:
        flags, payload = value
        return _fitting(flags, _MAX_REPLY_FLAGS), bytes(payload)


class _OptionReply(_Reply):
    """Flag 0 says whether there is a reply, the flags above it and the payload are its."""

    def __init__(self, reply: _Reply) -> None:
        self.reply = reply

    def parse(self, flags: int, payload: bytes) -> Any:
        if flags & 1:
            return self.reply.parse(flags >> 1, payload)
        if flags or payload:
            raise ValueError(f"flags {flags:#x} and {len(payload)} bytes left over")
        return None

    def transcribe(self, value: Any) -> tuple[int, bytes]:
        if value is None:
            return 0, b""
        flags, payload = self.reply.transcribe(value)
        return _fitting(flags << 1 | 1, _MAX_REPLY_FLAGS), payload


class _ValueReply(_Reply):
    """One value, which fills the response."""

    def __init__(self, codec: _Codec) -> None:
        self.codec = codec

    def parse(self, flags: int, payload: bytes) -> Any:
        return _from_packet(self.codec, flags, payload)

    def transcribe(self, value: Any) -> tuple[int, bytes]:
        return _packet(self.codec, value, _MAX_REPLY_FLAGS)


_HASH_CODE: _Codec = _Struct(lambda: _Fields(HashCode, _Field("value", _Bytes(20))))

_FULL: _Codec = _Enum(
    lambda: {
        0: _Fields(FullDisk),
        1: _Fields(FullQuota, _Field("limit", _Uint(64)), _Field("used", _Uint(64))),
    },
)

_NODE: _Codec = _Struct(
    lambda: _Fields(
        Node,
        _Field("weight", _Float()),
        _Flag("is_leaf", 0),
        _IfFlag("parent", 1, _NODE),
        _Field("children", _List(_NODE)),
        _Field("pages", _Tuple(_List(_PAGE), _Map(_Text(), _PAGE2))),
    ),
    magic=b"hi",
    is_delimited=True,
)

_PAGE: _Codec = _Struct(lambda: _Fields(Page, _Field("items", _List(_Uint(64)))))

_PAGE2: _Codec = _Struct(lambda: _Fields(Page2, _Field("items", _List(_Text()))))

_CODECS: dict[Any, _Codec] = {
    HashCode: _HASH_CODE,
    Full: _FULL,
    Node: _NODE,
    Page: _PAGE,
    Page2: _PAGE2,
}

AddRequest._payload = _Struct(lambda: _Fields(AddRequest, _Field("value", _RestData())))
AddRequest._reply = _ValueReply(_HASH_CODE)
AddRequest._failure = _FULL

GetRequest._payload = _Struct(lambda: _Fields(GetRequest, _Field("value", _Bytes(20))))
GetRequest._reply = _OptionReply(_ValueReply(_RestData()))

HashCodesRequest._payload = _Struct(
    lambda: _Fields(
        HashCodesRequest,
        _Flag("reverse", 0),
        _Flag("inclusive", 1, is_set=False),
        _IfFlag("start", 2, _HASH_CODE),
        _Field("length", _Uint(32)),
    ),
)
HashCodesRequest._reply = _ValueReply(_RestList(_HASH_CODE))

TreeRequest._payload = _Struct(lambda: _Fields(TreeRequest))
TreeRequest._reply = _ValueReply(_NODE)

PutRequest._payload = _Struct(
    lambda: _Fields(
        PutRequest,
        _AllFlags("bits"),
        _Field("kind", _Uint(16)),
        _Field("length", _FixedInt(2, "big")),
        _Counted("body", "length", _Data()),
        _Chosen("value", "kind", _FULL),
        _Field("pair", _Tuple(_Option(_Bool()), _Array(2, _Uint(64)))),
        _Field("more", _RestOption(_Text())),
    ),
)
PutRequest._reply = _Nothing()

CustomRequest._payload = _Struct(
    lambda: _Fields(CustomRequest, _Whole("value", _ByHand("x and <y>"))),
)
CustomRequest._reply = _FlagsAndDataReply()
