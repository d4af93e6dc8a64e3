#!/usr/bin/env python3
"""A chunk store in memory, over the module that packetstream made of its protocol.

    memory_store.py MODULE HASH SOCKET

serves the one peer at the Unix socket until it closes. HASH names the hash class,
sha1 or sha256. MODULE is the path of the module, examples/python/chunkstore.py.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections import defaultdict
from typing import Any

from twin import connect, load

module = load(sys.argv[1])

#: The hash classes, and the names of chunks in each.
CLASSES = {
    module.HashClass.SHA1: module.HashCodeSha1,
    module.HashClass.SHA256: module.HashCodeSha256,
    module.HashClass.BLAKE3: module.HashCodeBlake3,
}


class MemoryStore(module.ChunkStore):
    """A store that answers; it does not ask."""

    def __init__(self, recv_send: Any, name: str) -> None:
        self.hash_name = name
        self.hash_class = module.HashClass[name.upper()]
        self.chunks: dict[Any, bytes] = {}
        self.archives: defaultdict[str, list[Any]] = defaultdict(list)
        super().__init__(recv_send, name, packet_grace=0)

    def digest(self, data: bytes) -> bytes:
        """Return the digest of bytes."""
        return hashlib.new(self.hash_name, data).digest()

    def code(self, digest: bytes) -> Any:
        """Return the name of the chunk of a digest."""
        return CLASSES[self.hash_class](value=digest)

    def codes(self, request: Any) -> list[Any]:
        """Return the names that are asked for."""
        of_class = CLASSES[module.HashClass[request.hash_name.upper()]]
        codes = sorted(self.chunks, key=lambda code: code.value)
        start = request.start
        if start is None:
            if request.after:
                raise ValueError("after what?")
        elif type(start) is not of_class:
            raise ValueError("a start of another class")
        elif request.after:
            codes = [code for code in codes if code.value > start.value]
        else:
            codes = [code for code in codes if code.value >= start.value]
        return codes[: request.count or None]

    def fulfil_add(self, request: Any) -> Any:
        """Store a chunk."""
        if request.class_ is not self.hash_class:
            raise ValueError("another hash class")
        code = self.code(self.digest(request.chunk))
        self.chunks[code] = request.chunk
        return code

    def fulfil_get(self, request: Any) -> bytes | None:
        """Yield a chunk."""
        return self.chunks.get(request.value)

    def fulfil_contains(self, request: Any) -> bool:
        """Tell whether there is a chunk."""
        return request.value in self.chunks

    def fulfil_flush(self, request: Any) -> None:
        """Nothing is on a disk."""

    def fulfil_hash_codes(self, request: Any) -> list[Any]:
        """Yield names."""
        return self.codes(request)

    def fulfil_hash_of_hash_codes(self, request: Any) -> Any:
        """Yield a hash over names."""
        if request.value.count == 0:
            raise ValueError("how many?")
        codes = self.codes(request.value)
        digests = b"".join(code.value for code in codes)
        total = self.code(self.digest(self.digest(digests)))
        return module.Sum(sum=total, last=codes[-1] if codes else None)

    def fulfil_archive_last(self, request: Any) -> Any:
        """Yield the last entry."""
        entries = self.archives[request.archive]
        return entries[-1] if entries else None

    def fulfil_archive_update(self, request: Any) -> None:
        """Append an entry."""
        self.archives[request.archive].append(request.entry)

    def fulfil_archive_list(self, request: Any) -> list[Any]:
        """Yield all entries."""
        return self.archives[request.archive]

    def fulfil_length(self, request: Any) -> Any:
        """Count the chunks."""
        return module.Count(value=len(self.chunks))

    def fulfil_contains_indirect(self, request: Any) -> bool:
        """Tell whether a chunk of references is complete."""
        return self.is_complete(request.value)

    def is_complete(self, code: Any) -> bool:
        """Tell whether everything is there that the references in a chunk lead to."""
        if code not in self.chunks:
            return False
        refs = module.list_from_bytes(module.BlockRef, self.chunks[code])
        of_chunks = [ref for ref in refs if isinstance(ref.body, module.BodyChunk)]
        return all(
            self.is_complete(ref.body.value) if ref.indirect else ref.body.value in self.chunks
            for ref in of_chunks
        )


def main() -> None:
    """Serve."""
    os.dup2(2, 1)  # cs.packetstream prints
    with connect(sys.argv[3]) as sock:
        store = MemoryStore((sock.fileno(), sock.fileno()), sys.argv[2])
        with store.conn:
            store.conn.join_recv()


if __name__ == "__main__":
    main()
