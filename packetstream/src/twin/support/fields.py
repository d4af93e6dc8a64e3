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
