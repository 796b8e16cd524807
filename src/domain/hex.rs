//! Bytes as people write them: two hex digits each, small letters.

/// The hex digits of these bytes.
#[must_use]
pub fn of(bytes: &[u8]) -> String {
    let digits = |byte: &u8| [byte >> 4, byte & 0xf].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]));
    bytes.iter().flat_map(digits).collect()
}

/// The bytes that hex digits stand for; `None` where there are other signs, or too few or too many.
#[must_use]
pub fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() == 2 * N)?;
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_digits_a_byte() {
        assert_eq!(super::of(&[0, 9, 10, 0xff]), "00090aff");
        assert_eq!(super::read("00090aFF"), Some([0, 9, 10, 0xff]));
        for wrong in ["", "0", "00090a", "00090aff00", "00090agg", "0009 aff"] {
            assert_eq!(super::read::<4>(wrong), None, "{wrong}");
        }
    }
}
