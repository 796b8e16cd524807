//! Bytes as people write them: two hex digits each, small letters.

/// The hex digits of these bytes.
#[must_use]
pub fn of(bytes: &[u8]) -> String {
    let digits = |byte: &u8| [byte >> 4, byte & 0xf].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]));
    bytes.iter().flat_map(digits).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_digits_a_byte() {
        assert_eq!(super::of(&[0, 9, 10, 0xff]), "00090aff");
    }
}
