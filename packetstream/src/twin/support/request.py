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
