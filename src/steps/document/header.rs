//! The headers of pictures: how large, how many, how turned. Nothing is decoded to find out.

use std::io::{BufRead, Read, Seek, SeekFrom};

use image::ImageDecoder;
use image::metadata::Orientation;

use super::resolution;
use crate::contract::media::Kind;
use crate::domain::code;
use crate::domain::fault::Fault;

/// No picture or page with more pixels is ever decoded.
pub const MAX_PIXELS: u64 = 40_000_000;
/// Frames of one file that are looked at.
pub const MAX_FRAMES: usize = 50;
/// Entries of one TIFF directory that are looked at.
const MAX_TIFF_ENTRIES: u16 = 4096;

/// One picture of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// How to turn it to see it upright.
    pub orientation: Orientation,
    /// TIFF: where its directory stands in the file.
    pub offset: u32,
    /// TIFF: its resolution, where it claims a believable one.
    pub dpi: Option<u32>,
}

/// What the header of a picture file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its pictures, at most [`MAX_FRAMES`].
    pub frames: Vec<Frame>,
    /// It holds more than that.
    pub cut: bool,
}

impl Header {
    /// Reads the header of a picture of this kind.
    ///
    /// # Errors
    /// `WF2108` when there is none that can be read.
    pub fn read(kind: Kind, content: &mut (impl BufRead + Seek)) -> Result<Self, Fault> {
        let damaged = |why: String| {
            Fault::permanent(code::WF2108, format!("the picture is damaged: its {kind} header cannot be read"))
                .context(why)
        };
        let format = match kind {
            Kind::Tiff => return read_tiff(content).map_err(|error| damaged(error.to_string())),
            Kind::Png => image::ImageFormat::Png,
            _ => image::ImageFormat::Jpeg,
        };
        let mut decoder = image::ImageReader::with_format(content, format)
            .into_decoder()
            .map_err(|error| damaged(error.to_string()))?;
        let (width, height) = decoder.dimensions();
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        Ok(Self { frames: vec![Frame { width, height, orientation, offset: 0, dpi: None }], cut: false })
    }

    /// Refuses what would be too large once decoded.
    ///
    /// # Errors
    /// `WF2106` naming the size.
    pub fn refuse_bomb(&self) -> Result<(), Fault> {
        self.frames.iter().try_for_each(|frame| refuse_pixels(frame.width, frame.height))
    }
}

/// Refuses a picture with more than [`MAX_PIXELS`].
///
/// # Errors
/// `WF2106` naming the size.
pub fn refuse_pixels(width: u32, height: u32) -> Result<(), Fault> {
    if u64::from(width) * u64::from(height) <= MAX_PIXELS {
        return Ok(());
    }
    let message = format!("a picture of {width} x {height} pixels is too large to read (limit: 40 megapixels)");
    Err(Fault::permanent(code::WF2106, message))
}

fn read_tiff(content: &mut (impl Read + Seek)) -> std::io::Result<Header> {
    let mut head = [0; 8];
    content.seek(SeekFrom::Start(0))?;
    content.read_exact(&mut head)?;
    let bytes = Endian { big: head[0] == b'M' };
    let mut offset = bytes.u32(&head[4..8]);
    let mut frames: Vec<Frame> = Vec::new();
    // A directory may point back at an earlier one: that ends the list.
    while offset != 0 && !frames.iter().any(|frame| frame.offset == offset) {
        if frames.len() == MAX_FRAMES {
            return Ok(Header { frames, cut: true });
        }
        let (frame, next) = match read_directory(content, &bytes, offset) {
            Err(_) if !frames.is_empty() => break, // the file was cut short: the frames before are whole
            read => read?,
        };
        frames.push(frame);
        offset = next;
    }
    if frames.is_empty() { Err(std::io::Error::other("no directory")) } else { Ok(Header { frames, cut: false }) }
}

fn read_directory(content: &mut (impl Read + Seek), bytes: &Endian, offset: u32) -> std::io::Result<(Frame, u32)> {
    let mut count = [0; 2];
    content.seek(SeekFrom::Start(offset.into()))?;
    content.read_exact(&mut count)?;
    let count = bytes.u16(&count);
    if count > MAX_TIFF_ENTRIES {
        return Err(std::io::Error::other("too many entries"));
    }
    let mut frame = Frame { width: 0, height: 0, orientation: Orientation::NoTransforms, offset, dpi: None };
    let (mut resolution_at, mut per_inch) = (None, 1.0);
    for _ in 0..count {
        let mut entry = [0; 12];
        content.read_exact(&mut entry)?;
        let short = bytes.u16(&entry[2..4]) == 3;
        let value = if short { bytes.u16(&entry[8..10]).into() } else { bytes.u32(&entry[8..12]) };
        match bytes.u16(&entry[0..2]) {
            256 => frame.width = value,
            257 => frame.height = value,
            274 => {
                let orientation = u8::try_from(value).ok().and_then(Orientation::from_exif);
                frame.orientation = orientation.unwrap_or(Orientation::NoTransforms);
            }
            282 => resolution_at = Some(value),
            296 => per_inch = if value == 3 { 2.54 } else { 1.0 },
            _ => {}
        }
    }
    let mut next = [0; 4];
    content.read_exact(&mut next)?;
    if frame.width == 0 || frame.height == 0 {
        return Err(std::io::Error::other("a frame without a size"));
    }
    if let Some(at) = resolution_at {
        frame.dpi = read_ratio(content, bytes, at).map(|ratio| (ratio * per_inch).round() as u32);
        frame.dpi = frame.dpi.filter(|dpi| resolution::BELIEVABLE.contains(dpi));
    }
    Ok((frame, bytes.u32(&next)))
}

fn read_ratio(content: &mut (impl Read + Seek), bytes: &Endian, at: u32) -> Option<f64> {
    let mut pair = [0; 8];
    content.seek(SeekFrom::Start(at.into())).ok()?;
    content.read_exact(&mut pair).ok()?;
    let (over, under) = (bytes.u32(&pair[..4]), bytes.u32(&pair[4..]));
    (under != 0).then(|| f64::from(over) / f64::from(under))
}

/// The byte order of a TIFF.
struct Endian {
    big: bool,
}

impl Endian {
    fn u16(&self, bytes: &[u8]) -> u16 {
        let pair = [bytes[0], bytes[1]];
        if self.big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    }

    fn u32(&self, bytes: &[u8]) -> u32 {
        let four = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if self.big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A little-endian TIFF of directories at fixed places, each (width, height, next).
    fn tiff(directories: &[(u32, u32, u32)]) -> Vec<u8> {
        let mut bytes = b"II*\0\x08\0\0\0".to_vec();
        for (width, height, next) in directories {
            bytes.extend(2u16.to_le_bytes());
            for (tag, value) in [(256u16, width), (257, height)] {
                bytes.extend(tag.to_le_bytes());
                bytes.extend(4u16.to_le_bytes());
                bytes.extend(1u32.to_le_bytes());
                bytes.extend(value.to_le_bytes());
            }
            bytes.extend(next.to_le_bytes());
        }
        bytes
    }

    fn read(bytes: Vec<u8>) -> Result<Header, Fault> {
        Header::read(Kind::Tiff, &mut Cursor::new(bytes))
    }

    #[test]
    fn each_frame_of_a_tiff_is_found_and_a_loop_ends() {
        let header = read(tiff(&[(10, 20, 38), (30, 40, 8)])).expect("well formed");
        assert_eq!(header.frames.iter().map(|f| (f.width, f.height)).collect::<Vec<_>>(), [(10, 20), (30, 40)]);
        assert!(!header.cut);
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        let header = read(tiff(&[(10, 10, 38), (60_000, 60_000, 0)])).expect("well formed");
        assert_eq!(header.refuse_bomb().expect_err("3.6 gigapixels").code, code::WF2106);
    }

    #[test]
    fn a_tiff_without_a_frame_is_damaged() {
        for bytes in [tiff(&[]), tiff(&[(0, 0, 0)]), b"II*\0".to_vec(), b"II*\0\xff\xff\xff\xff".to_vec()] {
            assert_eq!(read(bytes).expect_err("no frame").code, code::WF2108);
        }
    }
}
