"""Everything that can be said.

Backslashes, as in C:\\new, and \"\"\"quotes\"\"\" too.

Made by packetstream from the declarations of `Everything`, for cs.packetstream: a test
over there keeps it true, so do not edit it.

A side of a connection asks so:

    side = Everything((receive, send), packet_grace=0)
    with side.conn:
        reply = side.conn_do_remote(NumbersRequest(...))

and answers so:

    class Server(Everything):
        def fulfil_numbers(self, request):
            return ...  # the reply

    server = Server((receive, send), packet_grace=0)
    with server.conn:
        server.conn.join_recv()

Bytes that are none of the protocol are a ValueError. cs.packetstream turns any
exception of a method into a failure without words and cannot send a declared one;
received ones are told by `request.ask(side.conn)`, which raises RequestFailed.
What the declarations assert beyond the encodings is not checked here.

What is written by hand has to be put into BY_HAND before use:

* letter
"""

from __future__ import annotations

import functools
import operator
import struct
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


@dataclass(frozen=True)
class Numbers:
    """Numbers, truth and text."""

    #: With a "quote" and a \ at the end\
    widths: tuple[int, int, int, int]
    truth: bool
    decimal: float
    text: str
    data: bytes


@dataclass(frozen=True)
class Fixed:
    """Numbers of fixed width, of every one."""

    byte: int
    signed_byte: int
    unsigned: tuple[int, int, int, int, int, int, int, int]
    signed: tuple[int, int, int, int, int, int, int, int]
    floats: tuple[float, float, float, float]


@dataclass(frozen=True)
class Containers:
    array: bytes
    values: list[int]
    list_: list[list[int]]
    pair: tuple[bool, int | None]
    boxed: int
    unit: tuple[()]
    only: Flagged
    data: bytes
    option: str | None = None
    options: Some | None = None


@dataclass(frozen=True)
class Flagged:
    before: int
    inner: Flagged | None
    urgent: bool = False
    quiet: bool = True
    name: str | None = None
    size: int | None = None
    maybe: Some | None = None


@dataclass(frozen=True)
class Maps:
    """Keys that Python can hash and sort, hash, and neither."""

    sorted: dict[Kind, dict[int, str]]
    of_structs: dict[Key, bool]
    of_lists: list[tuple[list[int], int]]


class Kind(IntEnum):
    #: Less.
    SMALL = 1
    #: More,
    #: and more.
    LARGE = 300


@dataclass(frozen=True, order=True)
class Key:
    high: Kind
    low: int
    name: str


@dataclass(frozen=True)
class Counted:
    """The lengths of its parts stand in front of them, in every form of a number."""

    list_: list[int]
    pairs: list[tuple[bool, str]]
    text: str
    data: bytes
    last: bytes


@dataclass(frozen=True)
class Delimited:
    low: int
    text: str


@dataclass(frozen=True)
class FlaggedTail:
    """Ends with what a flag tells the presence of, and has no other end."""

    field_0: bool = False
    field_1: list[int] | None = None


@dataclass(frozen=True)
class AllFlags:
    """All flags, whatever they mean."""

    field_0: int = 0
    field_1: bool | None = None


@dataclass(frozen=True)
class Newtype:
    """A newtype's flags are those of what it wraps."""

    value: Newtype2


@dataclass(frozen=True)
class Newtype2:
    """A newtype's flags are those of what it wraps."""

    value: Flagged


class Shape:
    pass


@dataclass(frozen=True)
class ShapeNowhere(Shape):
    pass


@dataclass(frozen=True)
class ShapePoint(Shape):
    field_0: int
    field_1: int


@dataclass(frozen=True)
class ShapeCircle(Shape):
    #: Or a ring.
    filled: bool = False
    radius: int | None = None


@dataclass(frozen=True)
class ShapePolygon(Shape):
    points: list[tuple[int, int]]
    kind: Kind


@dataclass(frozen=True)
class ShapeGroup(Shape):
    value: list[Shape]


@dataclass(frozen=True)
class Chosen:
    """The variants of enums stand elsewhere, and one not at all if it is the first."""

    sender: int
    shape: Shape
    size: Kind


@dataclass(frozen=True)
class Tree:
    name: str
    kind: TreeKind


class TreeKind:
    pass


@dataclass(frozen=True)
class TreeKindLeaf(TreeKind):
    value: Tree | None = None


@dataclass(frozen=True)
class TreeKindInner(TreeKind):
    children: list[Tree]


@dataclass(frozen=True)
class Tail:
    """What takes the rest, each kind of it."""

    first: int
    last: bytes


@dataclass(frozen=True)
class Tail2:
    """What takes the rest, each kind of it."""

    first: int
    last: str


@dataclass(frozen=True)
class Tail3:
    """What takes the rest, each kind of it."""

    first: int
    last: list[Delimited]


@dataclass(frozen=True)
class Tail4:
    """What takes the rest, each kind of it."""

    first: int
    last: Flagged | None = None


@dataclass(frozen=True)
class Seat:
    row: int
    letter: Any


@dataclass(frozen=True)
class List:
    """Names that mean something in Python."""

    list_: list[int]
    bytes_: bytes
    class_: int
    type: int
    lambda_: bool
    _private: int
    reply: dict_
    parse: int
    values: int
    flags: bool = False


class dict_:
    pass


@dataclass(frozen=True)
class dict_None(dict_):
    pass


@dataclass(frozen=True)
class dict_True(dict_):
    value: int


@dataclass(frozen=True)
class Spelled:
    """Keeps the spelling of the numbers that are read."""

    exact: tuple[int, Flagged]
    behind: int


@dataclass(frozen=True, order=True)
class Measured:
    """A newtype with its length."""

    value: int


class Why:
    """Why a query fails."""


@dataclass(frozen=True)
class WhyFirst(Why):
    pass


@dataclass(frozen=True)
class WhyPartial(Why):
    written: int
    is_final: bool = False


@dataclass
class NumbersRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Numbers
    Declared failure: Numbers
    """

    RQ_TYPE = 0

    value: Numbers

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_numbers(self))


@dataclass
class FixedRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Fixed
    Declared failure: Fixed
    """

    RQ_TYPE = 1

    value: Fixed

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_fixed(self))


@dataclass
class ContainersRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Containers
    Declared failure: Containers
    """

    RQ_TYPE = 2

    value: Containers

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_containers(self))


@dataclass
class MapsRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Maps
    Declared failure: Maps
    """

    RQ_TYPE = 3

    value: Maps

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_maps(self))


@dataclass
class CountedRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Counted
    Declared failure: Counted
    """

    RQ_TYPE = 4

    value: Counted

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_counted(self))


@dataclass
class DelimitedRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: list[Delimited]
    Declared failure: list[Delimited]
    """

    RQ_TYPE = 5

    value: list[Delimited]

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_delimited(self))


@dataclass
class FlaggedRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Flagged
    Declared failure: Flagged
    """

    RQ_TYPE = 6

    value: Flagged

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_flagged(self))


@dataclass
class FlaggedTailRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: FlaggedTail
    Declared failure: FlaggedTail
    """

    RQ_TYPE = 7

    value: FlaggedTail

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_flagged_tail(self))


@dataclass
class AllFlagsRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: AllFlags
    Declared failure: AllFlags
    """

    RQ_TYPE = 8

    value: AllFlags

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_all_flags(self))


@dataclass
class NewtypesRequest(_Request):
    """A newtype of a newtype, flags and all.

    Answered with what it holds, or failed with it.

    Reply: Newtype
    Declared failure: Newtype
    """

    RQ_TYPE = 9

    value: Newtype

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_newtypes(self))


@dataclass
class KindRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Kind
    Declared failure: Kind
    """

    RQ_TYPE = 10

    value: Kind

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_kind(self))


@dataclass
class ShapeRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Shape
    Declared failure: Shape
    """

    RQ_TYPE = 11

    value: Shape

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_shape(self))


@dataclass
class ChosenRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Chosen
    Declared failure: Chosen
    """

    RQ_TYPE = 12

    value: Chosen

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_chosen(self))


@dataclass
class TreeRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Tree
    Declared failure: Tree
    """

    RQ_TYPE = 13

    value: Tree

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_tree(self))


@dataclass
class DataTailRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Tail
    Declared failure: Tail
    """

    RQ_TYPE = 14

    value: Tail

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_data_tail(self))


@dataclass
class TextTailRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Tail2
    Declared failure: Tail2
    """

    RQ_TYPE = 15

    value: Tail2

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_text_tail(self))


@dataclass
class ListTailRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Tail3
    Declared failure: Tail3
    """

    RQ_TYPE = 16

    value: Tail3

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_list_tail(self))


@dataclass
class OptionTailRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Tail4
    Declared failure: Tail4
    """

    RQ_TYPE = 17

    value: Tail4

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_option_tail(self))


@dataclass
class SeatRequest(_Request):
    """Letters, by hand.

    Answered with what it holds, or failed with it.

    Reply: Seat
    Declared failure: Seat
    """

    RQ_TYPE = 18

    value: Seat

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_seat(self))


@dataclass
class NoneRequest(_Request):
    """Names that mean something in Python.

    Answered with what it holds, or failed with it.

    Reply: List
    Declared failure: List
    """

    RQ_TYPE = 19

    value: List

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_none(self))


@dataclass
class UnitRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: None
    Declared failure: tuple[()]
    """

    RQ_TYPE = 20

    value: tuple[()]

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_unit(self))


@dataclass
class BoolRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: bool
    Declared failure: bool
    """

    RQ_TYPE = 21

    value: bool

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_bool(self))


@dataclass
class NumberRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: int
    Declared failure: int
    """

    RQ_TYPE = 22

    value: int

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_number(self))


@dataclass
class NumberAndBytesRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: tuple[int, bytes]
    Declared failure: tuple[int, bytes]
    """

    RQ_TYPE = 23

    value: tuple[int, bytes]

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_number_and_bytes(self))


@dataclass
class BytesRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: bytes
    Declared failure: bytes
    """

    RQ_TYPE = 24

    value: bytes

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_bytes(self))


@dataclass
class TextRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: str
    Declared failure: str
    """

    RQ_TYPE = 25

    value: str

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_text(self))


@dataclass
class OptionRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Shape | None
    Declared failure: Shape | None
    """

    RQ_TYPE = 26

    value: Shape | None

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_option(self))


@dataclass
class OptionOfOptionRequest(_Request):
    """An option of an option is not one of a value.

    Answered with what it holds, or failed with it.

    Reply: Some | None
    Declared failure: Some | None
    """

    RQ_TYPE = 27

    value: Some | None

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_option_of_option(self))


@dataclass
class OptionOfUnitRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Some | None
    Declared failure: tuple[()] | None
    """

    RQ_TYPE = 28

    value: tuple[()] | None

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_option_of_unit(self))


@dataclass
class ListRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: list[Kind]
    Declared failure: list[Kind]
    """

    RQ_TYPE = 29

    value: list[Kind]

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_list(self))


@dataclass
class SpelledRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: Spelled
    Declared failure: Spelled
    """

    RQ_TYPE = 30

    value: Spelled

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_spelled(self))


@dataclass
class UnitsRequest(_Request):
    """Values of no bytes, which no list can have.

    Answered with what it holds, or failed with it.

    Reply: list[tuple[()]]
    Declared failure: list[tuple[()]]
    """

    RQ_TYPE = 31

    value: list[tuple[()]]

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_units(self))


@dataclass
class MeasuredRequest(_Request):
    """Answered with what it holds, or failed with it.

    Reply: list[Measured]
    Declared failure: list[Measured]
    """

    RQ_TYPE = 32

    value: list[Measured]

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_measured(self))


@dataclass
class QueryRequest(_Request):
    """A request with fields of every kind.

    Reply: Shape
    Declared failure: Why
    Limits: at most 4096 bytes, at most 2 at once, within 30s
    """

    RQ_TYPE = 300

    list_: list[str]
    shape: Shape
    #: Not a method.
    transcribe_: int
    #: Whether it is the first.
    first: bool = False
    after: Flagged | None = None

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_query(self))


@dataclass
class ForwardRequest(_Request):
    """Takes what there is.

    Reply: tuple[int, bytes]
    """

    RQ_TYPE = 70000

    field_1: list[Kind]
    field_2: bytes
    field_0: int = 0

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_forward(self))


@dataclass
class ResetRequest(_Request):
    """The request 70001, `Reset`.

    Reply: None
    """

    RQ_TYPE = 70001

    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.fulfil_reset(self))


class Everything(HasPacketConnection):
    """A side of a connection: the other one is asked, this one answers."""

    def __init__(self, recv_send: Any, name: Any = None, **packet_kw: Any) -> None:
        super().__init__(recv_send, name, rq_type_map=RQ_TYPE_MAP, **packet_kw)

    def fulfil_numbers(self, request: NumbersRequest) -> Numbers:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_numbers")

    def fulfil_fixed(self, request: FixedRequest) -> Fixed:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_fixed")

    def fulfil_containers(self, request: ContainersRequest) -> Containers:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_containers")

    def fulfil_maps(self, request: MapsRequest) -> Maps:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_maps")

    def fulfil_counted(self, request: CountedRequest) -> Counted:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_counted")

    def fulfil_delimited(self, request: DelimitedRequest) -> list[Delimited]:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_delimited")

    def fulfil_flagged(self, request: FlaggedRequest) -> Flagged:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_flagged")

    def fulfil_flagged_tail(self, request: FlaggedTailRequest) -> FlaggedTail:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_flagged_tail")

    def fulfil_all_flags(self, request: AllFlagsRequest) -> AllFlags:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_all_flags")

    def fulfil_newtypes(self, request: NewtypesRequest) -> Newtype:
        """A newtype of a newtype, flags and all."""
        raise NotImplementedError("fulfil_newtypes")

    def fulfil_kind(self, request: KindRequest) -> Kind:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_kind")

    def fulfil_shape(self, request: ShapeRequest) -> Shape:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_shape")

    def fulfil_chosen(self, request: ChosenRequest) -> Chosen:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_chosen")

    def fulfil_tree(self, request: TreeRequest) -> Tree:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_tree")

    def fulfil_data_tail(self, request: DataTailRequest) -> Tail:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_data_tail")

    def fulfil_text_tail(self, request: TextTailRequest) -> Tail2:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_text_tail")

    def fulfil_list_tail(self, request: ListTailRequest) -> Tail3:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_list_tail")

    def fulfil_option_tail(self, request: OptionTailRequest) -> Tail4:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_option_tail")

    def fulfil_seat(self, request: SeatRequest) -> Seat:
        """Letters, by hand."""
        raise NotImplementedError("fulfil_seat")

    def fulfil_none(self, request: NoneRequest) -> List:
        """Names that mean something in Python."""
        raise NotImplementedError("fulfil_none")

    def fulfil_unit(self, request: UnitRequest) -> None:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_unit")

    def fulfil_bool(self, request: BoolRequest) -> bool:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_bool")

    def fulfil_number(self, request: NumberRequest) -> int:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_number")

    def fulfil_number_and_bytes(
        self, request: NumberAndBytesRequest
    ) -> tuple[int, bytes]:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_number_and_bytes")

    def fulfil_bytes(self, request: BytesRequest) -> bytes:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_bytes")

    def fulfil_text(self, request: TextRequest) -> str:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_text")

    def fulfil_option(self, request: OptionRequest) -> Shape | None:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_option")

    def fulfil_option_of_option(self, request: OptionOfOptionRequest) -> Some | None:
        """An option of an option is not one of a value."""
        raise NotImplementedError("fulfil_option_of_option")

    def fulfil_option_of_unit(self, request: OptionOfUnitRequest) -> Some | None:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_option_of_unit")

    def fulfil_list(self, request: ListRequest) -> list[Kind]:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_list")

    def fulfil_spelled(self, request: SpelledRequest) -> Spelled:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_spelled")

    def fulfil_units(self, request: UnitsRequest) -> list[tuple[()]]:
        """Values of no bytes, which no list can have."""
        raise NotImplementedError("fulfil_units")

    def fulfil_measured(self, request: MeasuredRequest) -> list[Measured]:
        """Answered with what it holds, or failed with it."""
        raise NotImplementedError("fulfil_measured")

    def fulfil_query(self, request: QueryRequest) -> Shape:
        """A request with fields of every kind."""
        raise NotImplementedError("fulfil_query")

    def fulfil_forward(self, request: ForwardRequest) -> tuple[int, bytes]:
        """Takes what there is."""
        raise NotImplementedError("fulfil_forward")

    def fulfil_reset(self, request: ResetRequest) -> None:
        """The request 70001, `Reset`."""
        raise NotImplementedError("fulfil_reset")


RQ_TYPE_MAP: dict[int, type[BaseRequest]] = {
    0: NumbersRequest,
    1: FixedRequest,
    2: ContainersRequest,
    3: MapsRequest,
    4: CountedRequest,
    5: DelimitedRequest,
    6: FlaggedRequest,
    7: FlaggedTailRequest,
    8: AllFlagsRequest,
    9: NewtypesRequest,
    10: KindRequest,
    11: ShapeRequest,
    12: ChosenRequest,
    13: TreeRequest,
    14: DataTailRequest,
    15: TextTailRequest,
    16: ListTailRequest,
    17: OptionTailRequest,
    18: SeatRequest,
    19: NoneRequest,
    20: UnitRequest,
    21: BoolRequest,
    22: NumberRequest,
    23: NumberAndBytesRequest,
    24: BytesRequest,
    25: TextRequest,
    26: OptionRequest,
    27: OptionOfOptionRequest,
    28: OptionOfUnitRequest,
    29: ListRequest,
    30: SpelledRequest,
    31: UnitsRequest,
    32: MeasuredRequest,
    300: QueryRequest,
    70000: ForwardRequest,
    70001: ResetRequest,
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


class _FixedFloat(_Codec):
    """A floating point number in the form that the module `struct` calls so."""

    def __init__(self, form: str) -> None:
        self.form = struct.Struct(form)

    def parse(self, reader: _Reader) -> float:
        return self.form.unpack(reader.take(self.form.size))[0]

    def transcribe(self, value: float, out: _Writer) -> None:
        try:
            out.raw(self.form.pack(value))
        except OverflowError as error:
            raise ValueError(f"{value} does not fit {self.form.size} bytes") from error


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


@dataclass(frozen=True)
class Some:
    """A value that is there, where it could be None itself."""

    value: Any


class _SomeOf(_Codec):
    """A value told apart from None even if it is None itself."""

    def __init__(self, value: _Codec) -> None:
        self.value = value

    def parse(self, reader: _Reader) -> Some:
        return Some(self.value.parse(reader))

    def transcribe(self, value: Some, out: _Writer) -> None:
        self.value.transcribe(value.value, out)

    def told(self, number: int) -> Some:
        return Some(self.value.told(number))


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


class _Pairs(_Codec):
    """A count, keys each with its value, as a list: keys that no dict can have."""

    def __init__(self, key: _Codec, value: _Codec) -> None:
        self.key = key
        self.value = value

    def parse(self, reader: _Reader) -> list[tuple[Any, Any]]:
        pairs: list[tuple[Any, Any]] = []
        for _ in range(reader.count(reader.uint())):
            key = reader.part(self.key.parse)
            pairs.append((key, reader.part(self.value.parse)))
        self._check(pairs)
        return pairs

    def transcribe(self, value: Sequence[tuple[Any, Any]], out: _Writer) -> None:
        self._check(value)
        out.uint(len(value))
        for key, of_key in value:
            out.part(self.key.transcribe, key)
            out.part(self.value.transcribe, of_key)

    def _check(self, pairs: Sequence[tuple[Any, Any]]) -> None:
        """Check that no key comes twice, by the bytes of each."""
        known = set()
        for key, _ in pairs:
            out = _Writer()
            self.key.transcribe(key, out)
            known.add(bytes(out.data))
        if len(known) != len(pairs):
            raise ValueError("the same key twice")


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


class _RestText(_Codec):
    """UTF-8 to the end, bare."""

    def parse(self, reader: _Reader) -> str:
        return reader.take(reader.remaining).decode()

    def transcribe(self, value: str, out: _Writer) -> None:
        out.raw(value.encode())


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


class _FlagsReply(_Reply):
    """A number in the flags, no payload."""

    def parse(self, flags: int, payload: bytes) -> int:
        if payload:
            raise ValueError(f"{len(payload)} bytes left over")
        return flags

    def transcribe(self, value: int) -> tuple[int, bytes]:
        return _fitting(value, _MAX_REPLY_FLAGS), b""


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


class _SomeReply(_Reply):
    """A reply told apart from None even if it is None itself."""

    def __init__(self, reply: _Reply) -> None:
        self.reply = reply

    def parse(self, flags: int, payload: bytes) -> Some:
        return Some(self.reply.parse(flags, payload))

    def transcribe(self, value: Some) -> tuple[int, bytes]:
        return self.reply.transcribe(value.value)


class _ValueReply(_Reply):
    """One value, which fills the response."""

    def __init__(self, codec: _Codec) -> None:
        self.codec = codec

    def parse(self, flags: int, payload: bytes) -> Any:
        return _from_packet(self.codec, flags, payload)

    def transcribe(self, value: Any) -> tuple[int, bytes]:
        return _packet(self.codec, value, _MAX_REPLY_FLAGS)


_NUMBERS: _Codec = _Struct(
    lambda: _Fields(
        Numbers,
        _Field("widths", _Tuple(_Uint(64), _Uint(32), _Uint(16), _Uint(64))),
        _Field("truth", _Bool()),
        _Field("decimal", _Float()),
        _Field("text", _Text()),
        _Field("data", _Data()),
    ),
)

_FIXED: _Codec = _Struct(
    lambda: _Fields(
        Fixed,
        _Field("byte", _FixedInt(1, "big")),
        _Field("signed_byte", _FixedInt(1, "little", signed=True)),
        _Field(
            "unsigned",
            _Tuple(
                _FixedInt(2, "big"),
                _FixedInt(2, "little"),
                _FixedInt(4, "big"),
                _FixedInt(4, "little"),
                _FixedInt(8, "big"),
                _FixedInt(8, "little"),
                _FixedInt(16, "big"),
                _FixedInt(16, "little"),
            ),
        ),
        _Field(
            "signed",
            _Tuple(
                _FixedInt(2, "big", signed=True),
                _FixedInt(2, "little", signed=True),
                _FixedInt(4, "big", signed=True),
                _FixedInt(4, "little", signed=True),
                _FixedInt(8, "big", signed=True),
                _FixedInt(8, "little", signed=True),
                _FixedInt(16, "big", signed=True),
                _FixedInt(16, "little", signed=True),
            ),
        ),
        _Field(
            "floats",
            _Tuple(
                _FixedFloat(">f"),
                _FixedFloat("<f"),
                _FixedFloat(">d"),
                _FixedFloat("<d"),
            ),
        ),
    ),
)

_CONTAINERS: _Codec = _Struct(
    lambda: _Fields(
        Containers,
        _Field("array", _Bytes(3)),
        _Field("values", _Array(2, _FixedInt(2, "little", signed=True))),
        _Field("option", _Option(_Text())),
        _Field("options", _Option(_SomeOf(_Option(_SomeOf(_Option(_Uint(64))))))),
        _Field("list_", _List(_List(_Uint(64)))),
        _Field("pair", _Tuple(_Bool(), _Option(_Uint(16)))),
        _Field("boxed", _Uint(64)),
        _Field("unit", _Tuple()),
        _Field("only", _Part(_FLAGGED)),
        _Field("data", _Data()),
    ),
)

_FLAGGED: _Codec = _Struct(
    lambda: _Fields(
        Flagged,
        _Field("before", _Uint(64)),
        _Flag("urgent", 1),
        _Flag("quiet", 0, is_set=False),
        _IfFlag("name", 58, _Text()),
        _IfFlag("inner", 7, _FLAGGED, is_set=False),
        _IfFlag("size", 2, _FixedInt(4, "big")),
        _IfFlag("maybe", 3, _SomeOf(_Option(_Uint(64)))),
    ),
)

_MAPS: _Codec = _Struct(
    lambda: _Fields(
        Maps,
        _Field("sorted", _Map(_KIND, _Map(_Uint(64), _Text()))),
        _Field("of_structs", _Map(_KEY, _Bool())),
        _Field("of_lists", _Pairs(_List(_Uint(64)), _Uint(64))),
    ),
)

_KIND: _Codec = _IntEnum(Kind)

_KEY: _Codec = _Struct(
    lambda: _Fields(
        Key,
        _Field("high", _KIND),
        _Field("low", _FixedInt(4, "big", signed=True)),
        _Field("name", _Text()),
    ),
)

_COUNTED: _Codec = _Struct(
    lambda: _Fields(
        Counted,
        _Field("many", _Uint(64)),
        _Field("few", _FixedInt(1, "big")),
        _IfFlag("letters", 0, _FixedInt(4, "little")),
        _Field("maybe", _Option(_SomeOf(_Option(_Uint(16))))),
        _Counted("list_", "many", _List(_Uint(64))),
        _Field("bytes_", _FixedInt(2, "big")),
        _Counted("pairs", "few", _List(_Tuple(_Bool(), _Text()))),
        _Counted("text", "letters", _Text()),
        _Counted("data", "bytes_", _Data()),
        _Counted("last", "maybe", _Data()),
    ),
)

_DELIMITED: _Codec = _Struct(
    lambda: _Fields(Delimited, _Field("low", _Uint(64)), _Field("text", _RestText())),
    magic=b"D\x00\x22",
    is_delimited=True,
)

_FLAGGED_TAIL: _Codec = _Struct(
    lambda: _Fields(
        FlaggedTail,
        _Flag("field_0", 5),
        _IfFlag("field_1", 4, _RestList(_Uint(64))),
    ),
)

_ALL_FLAGS: _Codec = _Struct(
    lambda: _Fields(
        AllFlags,
        _AllFlags("field_0"),
        _Field("field_1", _Option(_Bool())),
    ),
)

_NEWTYPE: _Codec = _Struct(lambda: _Fields(Newtype, _Whole("value", _NEWTYPE2)))

_NEWTYPE2: _Codec = _Struct(lambda: _Fields(Newtype2, _Whole("value", _FLAGGED)))

_SHAPE: _Codec = _Enum(
    lambda: {
        0: _Fields(ShapeNowhere),
        1: _Fields(
            ShapePoint,
            _Field("field_0", _Uint(64)),
            _Field("field_1", _FixedInt(2, "little")),
        ),
        2: _Fields(
            ShapeCircle,
            _Flag("filled", 0),
            _Field("radius", _Option(_Uint(64))),
        ),
        700: _Fields(
            ShapePolygon,
            _Field("corners", _Uint(64)),
            _Counted("points", "corners", _List(_Tuple(_Uint(64), _Uint(64)))),
            _Field("kind", _KIND),
        ),
        701: _Fields(ShapeGroup, _Field("value", _List(_SHAPE))),
    },
)

_CHOSEN: _Codec = _Struct(
    lambda: _Fields(
        Chosen,
        _IfFlag("kind", 0, _Uint(64)),
        _Field("plain", _FixedInt(2, "big")),
        _Field("sender", _Uint(64)),
        _Chosen("shape", "kind", _SHAPE),
        _Chosen("size", "plain", _KIND),
    ),
)

_TREE: _Codec = _Struct(
    lambda: _Fields(Tree, _Field("name", _Text()), _Field("kind", _TREE_KIND)),
)

_TREE_KIND: _Codec = _Enum(
    lambda: {
        0: _Fields(TreeKindLeaf, _Field("value", _Option(_TREE))),
        1: _Fields(TreeKindInner, _Field("children", _List(_TREE))),
    },
)

_TAIL: _Codec = _Struct(
    lambda: _Fields(Tail, _Field("first", _Uint(64)), _Field("last", _RestData())),
)

_TAIL2: _Codec = _Struct(
    lambda: _Fields(Tail2, _Field("first", _Uint(64)), _Field("last", _RestText())),
)

_TAIL3: _Codec = _Struct(
    lambda: _Fields(
        Tail3,
        _Field("first", _Uint(64)),
        _Field("last", _RestList(_DELIMITED)),
    ),
)

_TAIL4: _Codec = _Struct(
    lambda: _Fields(
        Tail4,
        _Field("first", _Uint(64)),
        _Field("last", _RestOption(_FLAGGED)),
    ),
)

_SEAT: _Codec = _Struct(
    lambda: _Fields(
        Seat,
        _Field("row", _Uint(64)),
        _Field("letter", _ByHand("letter")),
    ),
)

_LIST: _Codec = _Struct(
    lambda: _Fields(
        List,
        _Field("list_", _List(_Uint(64))),
        _Field("bytes_", _Data()),
        _Field("class_", _Uint(64)),
        _Field("type", _Uint(64)),
        _Field("lambda_", _Bool()),
        _Field("_private", _Uint(64)),
        _Flag("flags", 0),
        _Field("reply", _DICT),
        _Field("parse", _Uint(64)),
        _Field("values", _Uint(64)),
    ),
)

_DICT: _Codec = _Enum(
    lambda: {0: _Fields(dict_None), 1: _Fields(dict_True, _Field("value", _Uint(64)))},
)

_SPELLED: _Codec = _Struct(
    lambda: _Fields(
        Spelled,
        _Field("exact", _Part(_Tuple(_Uint(64), _FLAGGED))),
        _Field("behind", _Uint(64)),
    ),
)

_MEASURED: _Codec = _Struct(
    lambda: _Fields(Measured, _Whole("value", _Uint(64))),
    is_delimited=True,
)

_WHY: _Codec = _Enum(
    lambda: {
        0: _Fields(WhyFirst),
        1: _Fields(WhyPartial, _Flag("is_final", 0), _Field("written", _Uint(64))),
    },
)

_CODECS: dict[Any, _Codec] = {
    Numbers: _NUMBERS,
    Fixed: _FIXED,
    Containers: _CONTAINERS,
    Flagged: _FLAGGED,
    Maps: _MAPS,
    Kind: _KIND,
    Key: _KEY,
    Counted: _COUNTED,
    Delimited: _DELIMITED,
    FlaggedTail: _FLAGGED_TAIL,
    AllFlags: _ALL_FLAGS,
    Newtype: _NEWTYPE,
    Newtype2: _NEWTYPE2,
    Shape: _SHAPE,
    Chosen: _CHOSEN,
    Tree: _TREE,
    TreeKind: _TREE_KIND,
    Tail: _TAIL,
    Tail2: _TAIL2,
    Tail3: _TAIL3,
    Tail4: _TAIL4,
    Seat: _SEAT,
    List: _LIST,
    dict_: _DICT,
    Spelled: _SPELLED,
    Measured: _MEASURED,
    Why: _WHY,
}

NumbersRequest._payload = _Struct(
    lambda: _Fields(NumbersRequest, _Whole("value", _NUMBERS)),
)
NumbersRequest._reply = _ValueReply(_NUMBERS)
NumbersRequest._failure = _NUMBERS

FixedRequest._payload = _Struct(lambda: _Fields(FixedRequest, _Whole("value", _FIXED)))
FixedRequest._reply = _ValueReply(_FIXED)
FixedRequest._failure = _FIXED

ContainersRequest._payload = _Struct(
    lambda: _Fields(ContainersRequest, _Whole("value", _CONTAINERS)),
)
ContainersRequest._reply = _ValueReply(_CONTAINERS)
ContainersRequest._failure = _CONTAINERS

MapsRequest._payload = _Struct(lambda: _Fields(MapsRequest, _Whole("value", _MAPS)))
MapsRequest._reply = _ValueReply(_MAPS)
MapsRequest._failure = _MAPS

CountedRequest._payload = _Struct(
    lambda: _Fields(CountedRequest, _Whole("value", _COUNTED)),
)
CountedRequest._reply = _ValueReply(_COUNTED)
CountedRequest._failure = _COUNTED

DelimitedRequest._payload = _Struct(
    lambda: _Fields(DelimitedRequest, _Whole("value", _List(_DELIMITED))),
)
DelimitedRequest._reply = _ValueReply(_RestList(_DELIMITED))
DelimitedRequest._failure = _List(_DELIMITED)

FlaggedRequest._payload = _Struct(
    lambda: _Fields(FlaggedRequest, _Whole("value", _FLAGGED)),
)
FlaggedRequest._reply = _ValueReply(_FLAGGED)
FlaggedRequest._failure = _FLAGGED

FlaggedTailRequest._payload = _Struct(
    lambda: _Fields(FlaggedTailRequest, _Whole("value", _FLAGGED_TAIL)),
)
FlaggedTailRequest._reply = _ValueReply(_FLAGGED_TAIL)
FlaggedTailRequest._failure = _FLAGGED_TAIL

AllFlagsRequest._payload = _Struct(
    lambda: _Fields(AllFlagsRequest, _Whole("value", _ALL_FLAGS)),
)
AllFlagsRequest._reply = _ValueReply(_ALL_FLAGS)
AllFlagsRequest._failure = _ALL_FLAGS

NewtypesRequest._payload = _Struct(
    lambda: _Fields(NewtypesRequest, _Whole("value", _NEWTYPE)),
)
NewtypesRequest._reply = _ValueReply(_NEWTYPE)
NewtypesRequest._failure = _NEWTYPE

KindRequest._payload = _Struct(lambda: _Fields(KindRequest, _Whole("value", _KIND)))
KindRequest._reply = _ValueReply(_KIND)
KindRequest._failure = _KIND

ShapeRequest._payload = _Struct(lambda: _Fields(ShapeRequest, _Whole("value", _SHAPE)))
ShapeRequest._reply = _ValueReply(_SHAPE)
ShapeRequest._failure = _SHAPE

ChosenRequest._payload = _Struct(
    lambda: _Fields(ChosenRequest, _Whole("value", _CHOSEN)),
)
ChosenRequest._reply = _ValueReply(_CHOSEN)
ChosenRequest._failure = _CHOSEN

TreeRequest._payload = _Struct(lambda: _Fields(TreeRequest, _Whole("value", _TREE)))
TreeRequest._reply = _ValueReply(_TREE)
TreeRequest._failure = _TREE

DataTailRequest._payload = _Struct(
    lambda: _Fields(DataTailRequest, _Whole("value", _TAIL)),
)
DataTailRequest._reply = _ValueReply(_TAIL)
DataTailRequest._failure = _TAIL

TextTailRequest._payload = _Struct(
    lambda: _Fields(TextTailRequest, _Whole("value", _TAIL2)),
)
TextTailRequest._reply = _ValueReply(_TAIL2)
TextTailRequest._failure = _TAIL2

ListTailRequest._payload = _Struct(
    lambda: _Fields(ListTailRequest, _Whole("value", _TAIL3)),
)
ListTailRequest._reply = _ValueReply(_TAIL3)
ListTailRequest._failure = _TAIL3

OptionTailRequest._payload = _Struct(
    lambda: _Fields(OptionTailRequest, _Whole("value", _TAIL4)),
)
OptionTailRequest._reply = _ValueReply(_TAIL4)
OptionTailRequest._failure = _TAIL4

SeatRequest._payload = _Struct(lambda: _Fields(SeatRequest, _Whole("value", _SEAT)))
SeatRequest._reply = _ValueReply(_SEAT)
SeatRequest._failure = _SEAT

NoneRequest._payload = _Struct(lambda: _Fields(NoneRequest, _Whole("value", _LIST)))
NoneRequest._reply = _ValueReply(_LIST)
NoneRequest._failure = _LIST

UnitRequest._payload = _Struct(lambda: _Fields(UnitRequest, _Whole("value", _Tuple())))
UnitRequest._reply = _Nothing()
UnitRequest._failure = _Tuple()

BoolRequest._payload = _Struct(lambda: _Fields(BoolRequest, _Whole("value", _Bool())))
BoolRequest._reply = _BoolReply()
BoolRequest._failure = _Bool()

NumberRequest._payload = _Struct(
    lambda: _Fields(NumberRequest, _Whole("value", _Uint(64))),
)
NumberRequest._reply = _FlagsReply()
NumberRequest._failure = _Uint(64)

NumberAndBytesRequest._payload = _Struct(
    lambda: _Fields(NumberAndBytesRequest, _Whole("value", _Tuple(_Uint(64), _Data()))),
)
NumberAndBytesRequest._reply = _FlagsAndDataReply()
NumberAndBytesRequest._failure = _Tuple(_Uint(64), _Data())

BytesRequest._payload = _Struct(lambda: _Fields(BytesRequest, _Whole("value", _Data())))
BytesRequest._reply = _ValueReply(_RestData())
BytesRequest._failure = _Data()

TextRequest._payload = _Struct(lambda: _Fields(TextRequest, _Whole("value", _Text())))
TextRequest._reply = _ValueReply(_RestText())
TextRequest._failure = _Text()

OptionRequest._payload = _Struct(
    lambda: _Fields(OptionRequest, _Whole("value", _Option(_SHAPE))),
)
OptionRequest._reply = _OptionReply(_ValueReply(_SHAPE))
OptionRequest._failure = _SomeOf(_Option(_SHAPE))

OptionOfOptionRequest._payload = _Struct(
    lambda: _Fields(
        OptionOfOptionRequest,
        _Whole("value", _Option(_SomeOf(_Option(_Bool())))),
    ),
)
OptionOfOptionRequest._reply = _OptionReply(_SomeReply(_OptionReply(_BoolReply())))
OptionOfOptionRequest._failure = _SomeOf(_Option(_SomeOf(_Option(_Bool()))))

OptionOfUnitRequest._payload = _Struct(
    lambda: _Fields(OptionOfUnitRequest, _Whole("value", _Option(_Tuple()))),
)
OptionOfUnitRequest._reply = _OptionReply(_SomeReply(_Nothing()))
OptionOfUnitRequest._failure = _SomeOf(_Option(_Tuple()))

ListRequest._payload = _Struct(
    lambda: _Fields(ListRequest, _Whole("value", _List(_KIND))),
)
ListRequest._reply = _ValueReply(_RestList(_KIND))
ListRequest._failure = _List(_KIND)

SpelledRequest._payload = _Struct(
    lambda: _Fields(SpelledRequest, _Whole("value", _SPELLED)),
)
SpelledRequest._reply = _ValueReply(_SPELLED)
SpelledRequest._failure = _SPELLED

UnitsRequest._payload = _Struct(
    lambda: _Fields(UnitsRequest, _Whole("value", _List(_Tuple()))),
)
UnitsRequest._reply = _ValueReply(_RestList(_Tuple()))
UnitsRequest._failure = _List(_Tuple())

MeasuredRequest._payload = _Struct(
    lambda: _Fields(MeasuredRequest, _Whole("value", _List(_MEASURED))),
)
MeasuredRequest._reply = _ValueReply(_RestList(_MEASURED))
MeasuredRequest._failure = _List(_MEASURED)

QueryRequest._payload = _Struct(
    lambda: _Fields(
        QueryRequest,
        _Flag("first", 61),
        _Field("kind", _Uint(64)),
        _IfFlag("after", 0, _FLAGGED),
        _Field("names", _FixedInt(2, "big")),
        _Counted("list_", "names", _List(_Text())),
        _Chosen("shape", "kind", _SHAPE),
        _Field("transcribe_", _Uint(64)),
    ),
    magic=b"Q",
)
QueryRequest._reply = _ValueReply(_SHAPE)
QueryRequest._failure = _WHY

ForwardRequest._payload = _Struct(
    lambda: _Fields(
        ForwardRequest,
        _AllFlags("field_0"),
        _Field("field_1", _List(_KIND)),
        _Field("field_2", _RestData()),
    ),
)
ForwardRequest._reply = _FlagsAndDataReply()

ResetRequest._payload = _Struct(lambda: _Fields(ResetRequest))
ResetRequest._reply = _Nothing()
