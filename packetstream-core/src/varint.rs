//! Unsigned integers on the wire: base 128, most significant group first.
//!
//! Every byte but the last has bit 7 set. Writing always takes the shortest form; reading accepts
//! leading `80` padding up to [`MAX_LEN`] bytes ([rules W-1 to W-5](crate::wire)).

use bytes::BufMut;

/// The most bytes that reading takes for one number, padding included: what `u64::MAX` needs.
///
/// The protocol itself sets no bound; an endless run of continuation bytes must end somewhere.
pub const MAX_LEN: usize = 10;

/// Set in every byte of a number but its last.
const CONTINUES: u8 = 0x80;
/// Bits of the number that one byte carries.
const GROUP_BITS: u32 = 7;

/// Why bytes are not a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum VarintError {
    /// The bytes end before the number does.
    #[error("number cut short")]
    Truncated,
    /// More than [`MAX_LEN`] bytes, padding included.
    #[error("number longer than {MAX_LEN} bytes")]
    TooLong,
    /// The number does not fit 64 bits.
    #[error("number exceeds 64 bits")]
    TooLarge,
}

/// How many bytes [`put`] writes for `value`: 1 to [`MAX_LEN`].
#[must_use]
pub const fn len(value: u64) -> usize {
    let bits = u64::BITS.saturating_sub(value.leading_zeros());
    if bits == 0 { 1 } else { bits.div_ceil(GROUP_BITS) as usize }
}

/// Appends the shortest form of `value`.
pub fn put(out: &mut impl BufMut, value: u64) {
    // `len` is at most 10.
    let mut shift = GROUP_BITS.saturating_mul(u32::try_from(len(value)).unwrap_or(0));
    while shift > GROUP_BITS {
        shift = shift.saturating_sub(GROUP_BITS);
        out.put_u8(low_group(value >> shift) | CONTINUES);
    }
    out.put_u8(low_group(value));
}

/// Numbers side by side, made from the last to the first, as their groups are. Few and small ones, that is most, never
/// leave a register.
pub(crate) struct Row {
    /// The first in the lowest byte.
    bytes: u64,
    len: usize,
}

impl Row {
    pub(crate) const fn new() -> Self {
        Self { bytes: 0, len: 0 }
    }

    /// Puts the shortest form of `value` in front.
    #[inline]
    pub(crate) fn push_front(&mut self, value: u64) {
        let mut rest = value;
        let mut continues = 0;
        loop {
            self.bytes = self.bytes << u8::BITS | u64::from(low_group(rest) | continues);
            self.len = self.len.wrapping_add(1);
            rest >>= GROUP_BITS;
            if rest == 0 {
                return;
            }
            continues = CONTINUES;
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Appends the numbers, if they are no longer than a register, and says whether they are not.
    #[inline]
    pub(crate) fn put(&self, out: &mut Vec<u8>) -> bool {
        let bytes = self.bytes.to_le_bytes();
        let Some(excess) = bytes.len().checked_sub(self.len) else { return false };
        out.extend_from_slice(&bytes);
        out.truncate(out.len().saturating_sub(excess));
        true
    }
}

fn low_group(value: u64) -> u8 {
    value.to_le_bytes()[0] & !CONTINUES
}

/// Reads a number off the front of `bytes`, which afterwards start behind it.
///
/// # Errors
///
/// See [`VarintError`]; `bytes` are then as they were. [`VarintError::Truncated`] is the only one that
/// more bytes can mend.
#[inline]
pub fn get(bytes: &mut &[u8]) -> Result<u64, VarintError> {
    let (value, rest) = match *bytes {
        [byte @ 0..CONTINUES, rest @ ..] => (u64::from(*byte), rest),
        long => get_long(long)?,
    };
    *bytes = rest;
    Ok(value)
}

/// Reads a number of several bytes, and returns what is behind it.
#[inline(never)]
fn get_long(mut bytes: &[u8]) -> Result<(u64, &[u8]), VarintError> {
    let mut value: u64 = 0;
    for _ in 0..MAX_LEN {
        let (byte, rest) = bytes.split_first().ok_or(VarintError::Truncated)?;
        bytes = rest;
        if value.leading_zeros() < GROUP_BITS {
            return Err(VarintError::TooLarge);
        }
        value = value << GROUP_BITS | u64::from(byte & !CONTINUES);
        if byte & CONTINUES == 0 {
            return Ok((value, rest));
        }
    }
    Err(VarintError::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, value);
        out
    }

    fn decoded(mut bytes: &[u8]) -> Result<(u64, usize), VarintError> {
        let whole = bytes.len();
        get(&mut bytes).map(|value| (value, whole - bytes.len()))
    }

    // Rules: W-1, W-2
    #[test]
    fn numbers_have_the_bytes_of_the_specification() {
        for (value, bytes) in [
            (0, &[0x00][..]),
            (127, &[0x7f]),
            (128, &[0x81, 0x00]),
            (300, &[0x82, 0x2c]),
            (16383, &[0xff, 0x7f]),
            (16384, &[0x81, 0x80, 0x00]),
            (1 << 32, &[0x90, 0x80, 0x80, 0x80, 0x00]),
            (1 << 63, &[0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]),
            (u64::MAX, &[0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        ] {
            assert_eq!(encoded(value), bytes, "{value}");
            assert_eq!(decoded(bytes), Ok((value, bytes.len())), "{value}");
        }
    }

    // Rules: W-1, W-2
    #[test]
    fn every_seven_bit_edge_round_trips_at_its_shortest_length() {
        for bits in 0..64 {
            for value in [(1_u64 << bits) - 1, 1 << bits, (1 << bits) + 1] {
                let bytes = encoded(value);
                assert_eq!(bytes.len(), len(value), "{value}");
                assert_ne!(bytes[0], 0x80, "{value} is padded");
                assert_eq!(decoded(&bytes), Ok((value, bytes.len())));
            }
        }
    }

    // Rules: W-3, W-4
    #[test]
    fn padding_is_accepted_up_to_ten_bytes() {
        assert_eq!(decoded(&[0x80, 0x00]), Ok((0, 2)));
        assert_eq!(decoded(&[0x80, 0x80, 0x80, 0x80, 0x01]), Ok((1, 5)));
        let mut padded = vec![0x80; 9];
        padded.push(0x05);
        assert_eq!(decoded(&padded), Ok((5, 10)));
        padded.insert(0, 0x80);
        assert_eq!(decoded(&padded), Err(VarintError::TooLong));
    }

    // Rules: W-5
    #[test]
    fn a_number_beyond_64_bits_is_refused_before_it_wraps() {
        let two_to_64 = [0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00];
        assert_eq!(decoded(&two_to_64), Err(VarintError::TooLarge));
        assert_eq!(decoded(&[0xff; 10]), Err(VarintError::TooLarge));
    }

    // Rules: W-1
    #[test]
    fn a_cut_number_is_truncated_at_every_cut_and_takes_nothing() {
        let whole = encoded(u64::MAX);
        for cut in 0..whole.len() {
            let mut bytes = &whole[..cut];
            assert_eq!(get(&mut bytes), Err(VarintError::Truncated));
            assert_eq!(bytes.len(), cut);
        }
    }
}
