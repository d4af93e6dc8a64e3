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
