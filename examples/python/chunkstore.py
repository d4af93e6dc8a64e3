"""The requests of a chunk store, as numbered by the Python original.

Made by packetstream from the declarations of `ChunkStore`, for cs.packetstream: a test
over there keeps it true, so do not edit it.

A side of a connection asks so:

    side = ChunkStore((receive, send), packet_grace=0)
    with side.conn:
        reply = side.conn_do_remote(AddRequest(...))

and answers so:

    class Server(ChunkStore):
        def fulfil_add(self, request):
            return ...  # the reply

    server = Server((receive, send), packet_grace=0)
    with server.conn:
        server.conn.join_recv()

Bytes that are none of the protocol are a ValueError. cs.packetstream turns any
exception of a method into a failure without words and cannot send a declared one;
received ones are told by `request.ask(side.conn)`, which raises RequestFailed.
What the declarations assert beyond the encodings is not checked here.
"""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from enum import IntEnum
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


class HashClass(IntEnum):
    """A hash function that chunks are named by. A store has one."""

    #: SHA-1: 20 bytes.
    SHA1 = 0
    #: SHA-256: 32 bytes.
    SHA256 = 1
    #: BLAKE3: 32 bytes.
    BLAKE3 = 2


class HashCode:
    """The name of a chunk: the class of a hash function and what it makes of the chunk. The variants have the
    numbers of `HashClass`.
    """


@dataclass(frozen=True)
class HashCodeSha1(HashCode):
    """Of `HashClass::Sha1`."""

    value: bytes


@dataclass(frozen=True)
class HashCodeSha256(HashCode):
    """Of `HashClass::Sha256`."""

    value: bytes


@dataclass(frozen=True)
class HashCodeBlake3(HashCode):
    """Of `HashClass::Blake3`."""

    value: bytes


@dataclass(frozen=True)
class HashCodes:
    """Asks for the names of chunks in ascending order, those from `start` on if it is given. It need not be that
    of a chunk, but must be of the store's hash class.
    """

    #: The name of the hash class.
    hash_name: str
    #: How many at most; 0 for all.
    count: int
    #: What follows has no meaning, but is allowed.
    ignored: bytes
    #: Leave the start itself out.
    after: bool = False
    #: Where to begin.
    start: HashCode | None = None


@dataclass(frozen=True)
class Sum:
    """The hash over the names of chunks."""

    #: The hash of the hash of the digests, one behind the other.
    sum: HashCode
    #: The last of the names, if there is any.
    last: HashCode | None = None


@dataclass(frozen=True)
class RawEntry:
    """The bytes of an archive entry as its writer wrote them: what a store keeps and hands out."""

    value: Entry


@dataclass(frozen=True)
class Entry:
    """One entry of an archive: what a tree was at some time."""

    #: When, in seconds since 1970.
    time: float
    #: The root of the tree.
    root: Dirent


@dataclass(frozen=True)
class Dirent:
    """One entry of a directory."""

    #: What it is.
    kind: Kind
    #: What it holds; without one, nothing.
    block: BlockRef | None
    #: Its name, unless the place where the entry is found names it.
    name: str | None = None
    #: Permissions, times and the like; see `Meta`.
    meta: str | None = None
    #: What identifies it across names.
    uuid: bytes | None = None
    #: What it held before.
    previous: BlockRef | None = None
    #: Whatever else a writer wanted to say.
    extended: bytes | None = None


class Kind(IntEnum):
    """What an entry of a directory is."""

    #: A file; its block holds the content.
    FILE = 0
    #: A directory; its block holds its entries.
    DIRECTORY = 1
    #: A symbolic link; its meta holds the target.
    LINK = 2
    #: An entry that stands for another one elsewhere.
    INDIRECT = 3


@dataclass(frozen=True)
class BlockRef:
    """A stretch of some file's or directory's bytes."""

    #: How many bytes the stretch is long.
    span: int
    #: Where the bytes are.
    body: Body
    #: Whether `body` holds the bytes of block references, back to back, instead of the stretch itself.
    indirect: bool = False
    #: Bits that belong to the type; none has a meaning here.
    type_flags: int | None = None


class Body:
    """Where the bytes of a block are."""


@dataclass(frozen=True)
class BodyChunk(Body):
    """In the chunk of this name."""

    value: HashCode


@dataclass(frozen=True)
class BodyRepeated(Body):
    """They are all this one."""

    value: int


@dataclass(frozen=True)
class BodyLiteral(Body):
    """Here."""

    value: bytes


@dataclass(frozen=True)
class BodyPart(Body):
    """In another block."""

    #: Where in the other block they begin.
    offset: int
    #: The other block.
    whole: BlockRef


@dataclass(frozen=True, order=True)
class Count:
    """The number of chunks, in the payload."""

    value: int


@dataclass
class AddRequest(_Request):
    """Stores a chunk and yields its name. The chunk is on the disk by then.

    Stores a chunk. Refused when the store names its chunks by another hash class.

    Reply: HashCode
    """

    RQ_TYPE = 0

    #: The hash class to name it by.
    class_: HashClass
    #: Its bytes.
    chunk: bytes

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_add(self))


@dataclass
class GetRequest(_Request):
    """Yields the chunk of a name, if it is there.

    Asks for the chunk of this name. A name of another hash class than the store's is that of no chunk.

    Reply: bytes | None
    """

    RQ_TYPE = 1

    value: HashCode

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_get(self))


@dataclass
class ContainsRequest(_Request):
    """Tells whether there is a chunk of a name.

    Asks whether there is a chunk of this name.

    Reply: bool
    """

    RQ_TYPE = 2

    value: HashCode

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_contains(self))


@dataclass
class FlushRequest(_Request):
    """Waits until what was added before is on the disk. What is not answered yet may come after.

    Asks to be told when everything is on the disk.

    Reply: None
    """

    RQ_TYPE = 3

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_flush(self))


@dataclass
class HashCodesRequest(_Request):
    """Yields the names of chunks in ascending order.

    Asks for the names of chunks in ascending order, those from `start` on if it is given. It need not be that
    of a chunk, but must be of the store's hash class.

    Reply: list[HashCode]
    """

    RQ_TYPE = 4

    #: The name of the hash class.
    hash_name: str
    #: How many at most; 0 for all.
    count: int
    #: What follows has no meaning, but is allowed.
    ignored: bytes
    #: Leave the start itself out.
    after: bool = False
    #: Where to begin.
    start: HashCode | None = None

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_hash_codes(self))


@dataclass
class HashOfHashCodesRequest(_Request):
    """Yields one hash over the names of chunks, to compare two stores by.

    Asks for the hash over the names that `HashCodes` would yield. Refused for a count of 0, as by the
    original.

    Reply: Sum
    Limits: at most 4 at once
    """

    RQ_TYPE = 5

    value: HashCodes

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_hash_of_hash_codes(self))


@dataclass
class ArchiveLastRequest(_Request):
    """Yields the entry that was appended to an archive last, if there is one.

    Asks for the last entry of an archive.

    Reply: RawEntry | None
    """

    RQ_TYPE = 6

    #: The archive's name.
    archive: str

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_archive_last(self))


@dataclass
class ArchiveUpdateRequest(_Request):
    """Appends an entry to an archive.

    Appends an entry to an archive, which comes into being with its first entry. Entries stand in the order in
    which they arrive.

    Reply: None
    Limits: ordered
    """

    RQ_TYPE = 7

    #: The archive's name.
    archive: str
    #: The entry.
    entry: RawEntry

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_archive_update(self))


@dataclass
class ArchiveListRequest(_Request):
    """Yields all entries of an archive, the oldest first.

    Asks for all entries of an archive.

    Reply: list[RawEntry]
    """

    RQ_TYPE = 8

    #: The archive's name.
    archive: str

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_archive_list(self))


@dataclass
class LengthRequest(_Request):
    """Counts the chunks.

    Asks for the number of chunks.

    Reply: Count
    """

    RQ_TYPE = 9

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_length(self))


@dataclass
class ContainsIndirectRequest(_Request):
    """Tells whether everything is there that a chunk of block references refers to.

    Asks whether the chunk of this name, which holds block references, is there, and everything it refers to.
    Refused when it holds something else.

    Reply: bool
    Limits: at most 4 at once
    """

    RQ_TYPE = 10

    value: HashCode

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_contains_indirect(self))


class ChunkStore(HasPacketConnection):
    """A side of a connection: the other one is asked, this one answers."""

    def __init__(self, recv_send: Any, name: Any = None, **packet_kw: Any) -> None:
        super().__init__(recv_send, name, rq_type_map=RQ_TYPE_MAP, **packet_kw)

    def fulfil_add(self, request: AddRequest) -> HashCode:
        """Stores a chunk and yields its name. The chunk is on the disk by then."""
        raise NotImplementedError("fulfil_add")

    def fulfil_get(self, request: GetRequest) -> bytes | None:
        """Yields the chunk of a name, if it is there."""
        raise NotImplementedError("fulfil_get")

    def fulfil_contains(self, request: ContainsRequest) -> bool:
        """Tells whether there is a chunk of a name."""
        raise NotImplementedError("fulfil_contains")

    def fulfil_flush(self, request: FlushRequest) -> None:
        """Waits until what was added before is on the disk. What is not answered yet may come after."""
        raise NotImplementedError("fulfil_flush")

    def fulfil_hash_codes(self, request: HashCodesRequest) -> list[HashCode]:
        """Yields the names of chunks in ascending order."""
        raise NotImplementedError("fulfil_hash_codes")

    def fulfil_hash_of_hash_codes(self, request: HashOfHashCodesRequest) -> Sum:
        """Yields one hash over the names of chunks, to compare two stores by."""
        raise NotImplementedError("fulfil_hash_of_hash_codes")

    def fulfil_archive_last(self, request: ArchiveLastRequest) -> RawEntry | None:
        """Yields the entry that was appended to an archive last, if there is one."""
        raise NotImplementedError("fulfil_archive_last")

    def fulfil_archive_update(self, request: ArchiveUpdateRequest) -> None:
        """Appends an entry to an archive."""
        raise NotImplementedError("fulfil_archive_update")

    def fulfil_archive_list(self, request: ArchiveListRequest) -> list[RawEntry]:
        """Yields all entries of an archive, the oldest first."""
        raise NotImplementedError("fulfil_archive_list")

    def fulfil_length(self, request: LengthRequest) -> Count:
        """Counts the chunks."""
        raise NotImplementedError("fulfil_length")

    def fulfil_contains_indirect(self, request: ContainsIndirectRequest) -> bool:
        """Tells whether everything is there that a chunk of block references refers to."""
        raise NotImplementedError("fulfil_contains_indirect")


RQ_TYPE_MAP: dict[int, type[BaseRequest]] = {
    0: AddRequest,
    1: GetRequest,
    2: ContainsRequest,
    3: FlushRequest,
    4: HashCodesRequest,
    5: HashOfHashCodesRequest,
    6: ArchiveLastRequest,
    7: ArchiveUpdateRequest,
    8: ArchiveListRequest,
    9: LengthRequest,
    10: ContainsIndirectRequest,
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


class _Part(_Codec):
    """A value as it is within another one, wherever it stands."""

    def __init__(self, value: _Codec) -> None:
        self.value = value

    def parse(self, reader: _Reader) -> Any:
        return reader.part(self.value.parse)

    def transcribe(self, value: Any, out: _Writer) -> None:
        out.part(self.value.transcribe, value)


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


class _IntEnum(_Codec):
    """The number of a variant that has no fields."""

    def __init__(self, make: Callable[[int], Any]) -> None:
        self.make = make

    def parse(self, reader: _Reader) -> Any:
        return self.parse_variant(reader.uint(), reader)

    def transcribe(self, value: Any, out: _Writer) -> None:
        out.uint(self.number(value))

    def parse_variant(self, number: int, reader: _Reader) -> Any:
        return self.make(number)

    def number(self, value: Any) -> int:
        return int(self.make(value))

    def transcribe_variant(self, value: Any, out: _Writer) -> None:
        pass


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


class _BoolReply(_Reply):
    """Flag 0, no payload."""

    def parse(self, flags: int, payload: bytes) -> bool:
        if flags > 1 or payload:
            raise ValueError(f"flags {flags:#x} and {len(payload)} bytes left over")
        return bool(flags)

    def transcribe(self, value: bool) -> tuple[int, bytes]:
        return int(bool(value)), b""


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


_HASH_CLASS: _Codec = _IntEnum(HashClass)

_HASH_CODE: _Codec = _Enum(
    lambda: {
        0: _Fields(HashCodeSha1, _Field("value", _Bytes(20))),
        1: _Fields(HashCodeSha256, _Field("value", _Bytes(32))),
        2: _Fields(HashCodeBlake3, _Field("value", _Bytes(32))),
    },
)

_HASH_CODES: _Codec = _Struct(
    lambda: _Fields(
        HashCodes,
        _Flag("after", 0),
        _Field("hash_name", _Text()),
        _IfFlag("start", 1, _HASH_CODE),
        _Field("count", _Uint(64)),
        _Field("ignored", _RestData()),
    ),
)

_SUM: _Codec = _Struct(
    lambda: _Fields(
        Sum,
        _Field("sum", _HASH_CODE),
        _Field("last", _RestOption(_HASH_CODE)),
    ),
)

_RAW_ENTRY: _Codec = _Struct(lambda: _Fields(RawEntry, _Whole("value", _Part(_ENTRY))))

_ENTRY: _Codec = _Struct(
    lambda: _Fields(Entry, _Field("time", _Float()), _Field("root", _DIRENT)),
)

_DIRENT: _Codec = _Struct(
    lambda: _Fields(
        Dirent,
        _Field("kind", _KIND),
        _IfFlag("name", 1, _Text()),
        _IfFlag("meta", 0, _Text()),
        _IfFlag("uuid", 3, _Bytes(16)),
        _IfFlag("block", 2, _BLOCK_REF, is_set=False),
        _IfFlag("previous", 4, _BLOCK_REF),
        _IfFlag("extended", 5, _Data()),
    ),
)

_KIND: _Codec = _IntEnum(Kind)

_BLOCK_REF: _Codec = _Struct(
    lambda: _Fields(
        BlockRef,
        _Flag("indirect", 0),
        _Field("span", _Uint(64)),
        _IfFlag("kind", 1, _Uint(64)),
        _IfFlag("type_flags", 2, _Uint(64)),
        _Chosen("body", "kind", _BODY),
    ),
    is_delimited=True,
)

_BODY: _Codec = _Enum(
    lambda: {
        0: _Fields(BodyChunk, _Field("value", _HASH_CODE)),
        1: _Fields(BodyRepeated, _Field("value", _FixedInt(1, "big"))),
        2: _Fields(BodyLiteral, _Field("value", _RestData())),
        3: _Fields(BodyPart, _Field("offset", _Uint(64)), _Field("whole", _BLOCK_REF)),
    },
)

_COUNT: _Codec = _Struct(lambda: _Fields(Count, _Whole("value", _Uint(64))))

_CODECS: dict[Any, _Codec] = {
    HashClass: _HASH_CLASS,
    HashCode: _HASH_CODE,
    HashCodes: _HASH_CODES,
    Sum: _SUM,
    RawEntry: _RAW_ENTRY,
    Entry: _ENTRY,
    Dirent: _DIRENT,
    Kind: _KIND,
    BlockRef: _BLOCK_REF,
    Body: _BODY,
    Count: _COUNT,
}

AddRequest._payload = _Struct(
    lambda: _Fields(
        AddRequest,
        _Field("class_", _HASH_CLASS),
        _Field("chunk", _Data()),
    ),
)
AddRequest._reply = _ValueReply(_HASH_CODE)

GetRequest._payload = _Struct(lambda: _Fields(GetRequest, _Whole("value", _HASH_CODE)))
GetRequest._reply = _OptionReply(_ValueReply(_RestData()))

ContainsRequest._payload = _Struct(
    lambda: _Fields(ContainsRequest, _Whole("value", _HASH_CODE)),
)
ContainsRequest._reply = _BoolReply()

FlushRequest._payload = _Struct(lambda: _Fields(FlushRequest))
FlushRequest._reply = _Nothing()

HashCodesRequest._payload = _Struct(
    lambda: _Fields(
        HashCodesRequest,
        _Flag("after", 0),
        _Field("hash_name", _Text()),
        _IfFlag("start", 1, _HASH_CODE),
        _Field("count", _Uint(64)),
        _Field("ignored", _RestData()),
    ),
)
HashCodesRequest._reply = _ValueReply(_RestList(_HASH_CODE))

HashOfHashCodesRequest._payload = _Struct(
    lambda: _Fields(HashOfHashCodesRequest, _Whole("value", _HASH_CODES)),
)
HashOfHashCodesRequest._reply = _ValueReply(_SUM)

ArchiveLastRequest._payload = _Struct(
    lambda: _Fields(ArchiveLastRequest, _Field("archive", _Text())),
)
ArchiveLastRequest._reply = _OptionReply(_ValueReply(_RAW_ENTRY))

ArchiveUpdateRequest._payload = _Struct(
    lambda: _Fields(
        ArchiveUpdateRequest,
        _Field("archive", _Text()),
        _Field("entry", _RAW_ENTRY),
    ),
)
ArchiveUpdateRequest._reply = _Nothing()

ArchiveListRequest._payload = _Struct(
    lambda: _Fields(ArchiveListRequest, _Field("archive", _Text())),
)
ArchiveListRequest._reply = _ValueReply(_RestList(_RAW_ENTRY))

LengthRequest._payload = _Struct(lambda: _Fields(LengthRequest))
LengthRequest._reply = _ValueReply(_COUNT)

ContainsIndirectRequest._payload = _Struct(
    lambda: _Fields(ContainsIndirectRequest, _Whole("value", _HASH_CODE)),
)
ContainsIndirectRequest._reply = _BoolReply()
