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
