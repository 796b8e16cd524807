//! Pictures in memory: one frame of a file, decoded to grey, turned, written in the form that tesseract takes.
//!
//! Decoding and turning take long: call them from a blocking thread. No frame is decoded before its header was
//! found harmless ([`super::header`]).

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageFormat, ImageReader};

use super::header::{Frame, Header};
use super::resolution;
use super::tesseract::Sheet;
use crate::contract::media::Kind;
use crate::domain::fault::Fault;

/// Most memory that a decoder may take.
const DECODER_BYTES: u64 = 512 * 1024 * 1024;

/// One frame of a picture file, still encoded.
#[derive(Debug, Clone)]
pub struct Picture {
    bytes: Vec<u8>,
    kind: Kind,
    frame: Frame,
    dpi: Option<u32>,
}

impl Picture {
    /// The frames of a picture file, and whether it holds more than are looked at.
    ///
    /// # Errors
    /// `WF2108` for a header that cannot be read, `WF2106` for one that promises too many pixels.
    pub fn frames(bytes: &[u8], kind: Kind) -> Result<(Vec<Self>, bool), Fault> {
        let header = Header::read(kind, &mut Cursor::new(bytes))?;
        header.refuse_bomb()?;
        let dpi = resolution::of(bytes, kind);
        let frames = header.frames.iter().map(|frame| {
            let mut bytes = bytes.to_vec();
            if kind == Kind::Tiff {
                // A TIFF begins with the place of its first directory: pointing it at the wanted frame makes
                // that frame the first for every decoder.
                let place = if bytes[0] == b'M' { frame.offset.to_be_bytes() } else { frame.offset.to_le_bytes() };
                bytes[4..8].copy_from_slice(&place);
            }
            Self { bytes, kind, frame: *frame, dpi: dpi.or(frame.dpi) }
        });
        Ok((frames.collect(), header.cut))
    }

    /// The same picture, known to have this resolution, and to be turned to the right by these degrees.
    #[must_use]
    pub fn known(mut self, dpi: Option<u32>, turn: u16) -> Self {
        self.dpi = dpi.or(self.dpi);
        if self.frame.orientation == Orientation::NoTransforms {
            self.frame.orientation = match turn {
                90 => Orientation::Rotate90,
                180 => Orientation::Rotate180,
                270 => Orientation::Rotate270,
                _ => Orientation::NoTransforms,
            };
        }
        self
    }

    /// It does not stand upright as it is stored.
    #[must_use]
    pub fn is_turned(&self) -> bool {
        self.frame.orientation != Orientation::NoTransforms
    }

    /// The picture as it is, for tesseract to decode. Only right when it is not turned.
    #[must_use]
    pub fn into_sheet(self) -> Sheet {
        Sheet { bytes: self.bytes, dpi: self.dpi }
    }

    /// Its resolution, where it is known.
    #[must_use]
    pub const fn dpi(&self) -> Option<u32> {
        self.dpi
    }

    /// The upright picture in grey; `None` when our decoder does not know this variety (tesseract's may).
    #[must_use]
    pub fn grey(&self) -> Option<GrayImage> {
        let format = match self.kind {
            Kind::Png => ImageFormat::Png,
            Kind::Tiff => ImageFormat::Tiff,
            _ => ImageFormat::Jpeg,
        };
        let mut limits = image::Limits::default();
        limits.max_alloc = Some(DECODER_BYTES);
        let mut reader = ImageReader::with_format(Cursor::new(&self.bytes), format);
        reader.limits(limits);
        let mut picture = on_white(reader.decode().ok()?);
        picture.apply_orientation(self.frame.orientation);
        Some(picture.into_luma8())
    }
}

/// What shines through a transparent picture is paper.
fn on_white(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return picture;
    }
    let mut pixels = picture.into_luma_alpha8();
    for pixel in pixels.pixels_mut() {
        let [value, alpha] = pixel.0.map(u16::from);
        let mixed = (value * alpha + 255 * (255 - alpha)) / 255;
        pixel.0 = [u8::try_from(mixed).unwrap_or(u8::MAX), u8::MAX];
    }
    DynamicImage::ImageLumaA8(pixels)
}

/// A grey picture in the plainest form there is (PGM), which costs nothing to write.
#[must_use]
pub fn sheet(picture: &GrayImage, dpi: Option<u32>) -> Sheet {
    let mut bytes = format!("P5 {} {} 255\n", picture.width(), picture.height()).into_bytes();
    bytes.extend_from_slice(picture.as_raw());
    Sheet { bytes, dpi }
}

/// The picture turned to the right by 90, 180 or 270 degrees.
#[must_use]
pub fn turned(picture: &GrayImage, degrees: u16) -> GrayImage {
    match degrees {
        90 => image::imageops::rotate90(picture),
        180 => image::imageops::rotate180(picture),
        270 => image::imageops::rotate270(picture),
        _ => picture.clone(),
    }
}
