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
