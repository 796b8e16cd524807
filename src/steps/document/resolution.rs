//! The resolution that a picture's header claims, in dots per inch. tesseract reads it from the file itself; we
//! need it only when we hand over a changed copy.

use crate::contract::media::Kind;

/// What no scanner or printer uses is a wrong claim.
pub const BELIEVABLE: std::ops::RangeInclusive<u32> = 70..=1200;

/// The claimed resolution, when there is a believable one.
#[must_use]
pub fn of(bytes: &[u8], kind: Kind) -> Option<u32> {
    let dpi = match kind {
        Kind::Jpg => jfif(bytes),
        Kind::Png => phys(bytes),
        _ => None,
    };
    dpi.filter(|dpi| BELIEVABLE.contains(dpi))
}

/// JFIF: unit (1 per inch, 2 per centimetre) and density stand in the first segment.
fn jfif(bytes: &[u8]) -> Option<u32> {
    let at = bytes.get(..64)?.windows(5).position(|window| window == b"JFIF\0")?;
    let [unit, high, low] = *bytes.get(at + 7..at + 10)? else { return None };
    let density = u32::from(u16::from_be_bytes([high, low]));
    match unit {
        1 => Some(density),
        2 => Some((f64::from(density) * 2.54).round() as u32),
        _ => None,
    }
}

/// PNG: the chunk `pHYs`, before the pixels, in dots per metre.
fn phys(bytes: &[u8]) -> Option<u32> {
    let head = &bytes[..bytes.len().min(4096)];
    let at = head.windows(4).position(|window| window == b"pHYs")?;
    let &[a, b, c, d] = head.get(at + 4..at + 8)? else { return None };
    let is_metre = head.get(at + 12) == Some(&1);
    is_metre.then(|| (f64::from(u32::from_be_bytes([a, b, c, d])) * 0.0254).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_resolution_is_found_and_an_absurd_one_is_not_believed() {
        let jpg = |unit: u8, density: u16| {
            let mut bytes = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01".to_vec();
            bytes.push(unit);
            bytes.extend(density.to_be_bytes());
            bytes.resize(100, 0);
            bytes
        };
        assert_eq!(of(&jpg(1, 200), Kind::Jpg), Some(200));
        assert_eq!(of(&jpg(2, 118), Kind::Jpg), Some(300));
        assert_eq!(of(&jpg(0, 1), Kind::Jpg), None);
        assert_eq!(of(&jpg(1, 1), Kind::Jpg), None);
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x09pHYs".to_vec();
        png.extend(7874u32.to_be_bytes());
        png.extend(7874u32.to_be_bytes());
        png.push(1);
        assert_eq!(of(&png, Kind::Png), Some(200));
        assert_eq!(of(b"\x89PNG", Kind::Png), None);
    }
}
