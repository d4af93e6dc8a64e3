@0xd6b1f0a47c3e5b29;

interface Echo {
    send @0 (bytes :Data) -> (bytes :Data);
}
