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


class _UnsortedMap(_Map):
    """A count, keys each with its value. The keys are written in the order of the dict."""

    def order(self, value: dict[Any, Any]) -> Sequence[Any]:
        return list(value)


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
