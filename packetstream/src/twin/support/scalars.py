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
