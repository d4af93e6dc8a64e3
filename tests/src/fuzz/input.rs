//! Choices made of bytes. Where they end, all further choices are the first.

/// Bytes that say what to do.
#[derive(Debug)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number of any size, small ones for few bytes.
    pub(super) fn number(&mut self) -> u64 {
        let length = usize::from(self.byte());
        match length {
            0..0xf0 => length as u64,
            _ => self.take(length - 0xef).iter().fold(0, |value, byte| value << 8 | u64::from(*byte)),
        }
    }

    /// So many bytes, or what there is.
    pub(super) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}
