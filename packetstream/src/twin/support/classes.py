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
