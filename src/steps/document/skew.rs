//! Skew: how many degrees a scanned page leans, and putting it right.
//!
//! Lines of text make a page's row sums rise and fall sharply when it is straight. The page is made small and
//! black-and-white, sheared by each angle in question, and the angle with the sharpest row sums wins.

use image::{GrayImage, Luma};

/// Leans of more than this many degrees are not looked for: they are not scanning accidents.
const RANGE: f32 = 12.0;
/// Longest side of the small copy in pixels: enough for lines of text, quick to sum.
const SMALL: u32 = 1000;
/// A page with fewer dark pixels in its small copy says nothing.
const MIN_INK: usize = 300;
/// The best angle's rows must be so much sharper than those of the page as it is.
const MIN_GAIN: f64 = 1.05;

/// The lean of the page in degrees; positive when lines fall to the right. `None` when it cannot be told.
#[must_use]
pub fn angle(page: &GrayImage) -> Option<f32> {
    let ink = ink(page);
    if ink.len() < MIN_INK {
        return None;
    }
    let sharpest = |from: f32, to: f32, step: f32| {
        let count = ((to - from) / step).round() as u32;
        (0..=count)
            .map(|i| from + i as f32 * step)
            .map(|degrees| (degrees, sharpness(&ink, degrees)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
    };
    let (rough, _) = sharpest(-RANGE, RANGE, 0.5)?;
    let (fine, best) = sharpest(rough - 0.4, rough + 0.4, 0.1)?;
    let at_edge = rough.abs() >= RANGE; // still rising where we stop looking: lines, tables, a picture; not a lean
    (!at_edge && best >= MIN_GAIN * sharpness(&ink, 0.0)).then_some(fine)
}

/// The page turned back by its lean, on white ground.
#[must_use]
pub fn straighten(page: &GrayImage, degrees: f32) -> GrayImage {
    let (width, height) = page.dimensions();
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (cx, cy) = (width as f32 / 2.0, height as f32 / 2.0);
    let mut out = GrayImage::from_pixel(width, height, Luma([255]));
    for (y, row) in out.rows_mut().enumerate() {
        let dy = y as f32 - cy;
        for (x, pixel) in row.enumerate() {
            let dx = x as f32 - cx;
            if let Some(value) = bicubic(page, cx + dx * cos - dy * sin, cy + dx * sin + dy * cos) {
                pixel.0[0] = value;
            }
        }
    }
    out
}

/// Places of the dark pixels of a small copy.
fn ink(page: &GrayImage) -> Vec<(f32, f32)> {
    let longest = page.width().max(page.height());
    let factor = longest.div_ceil(SMALL).max(1);
    let (width, height) = (page.width() / factor, page.height() / factor);
    let mut small = Vec::with_capacity((width * height) as usize);
    for y in 0..height {
        for x in 0..width {
            small.push(block_mean(page, x * factor, y * factor, factor));
        }
    }
    let threshold = otsu(&small);
    let dark = small.iter().enumerate().filter(|(_, value)| **value < threshold);
    let places: Vec<_> = dark.map(|(i, _)| ((i as u32 % width) as f32, (i as u32 / width) as f32)).collect();
    // White on black, or a photograph: the ink is not the dark part.
    if places.len() * 2 > small.len() { Vec::new() } else { places }
}

fn block_mean(page: &GrayImage, left: u32, top: u32, side: u32) -> u8 {
    let stride = page.width() as usize;
    let rows = page.as_raw().chunks_exact(stride).skip(top as usize).take(side as usize);
    let sum: u32 = rows.flat_map(|row| &row[left as usize..(left + side) as usize]).map(|v| u32::from(*v)).sum();
    u8::try_from(sum / (side * side)).unwrap_or(u8::MAX)
}

/// The grey value that parts dark from light best.
fn otsu(values: &[u8]) -> u8 {
    let mut histogram = [0u64; 256];
    for value in values {
        histogram[usize::from(*value)] += 1;
    }
    let total = values.len() as f64;
    let all: f64 = histogram.iter().enumerate().map(|(v, n)| v as f64 * *n as f64).sum();
    let (mut below, mut sum_below, mut best, mut threshold) = (0.0, 0.0, 0.0, 128u8);
    for (value, count) in (0u8..=255).zip(histogram) {
        below += count as f64;
        sum_below += f64::from(value) * count as f64;
        let above = total - below;
        if below == 0.0 || above == 0.0 {
            continue;
        }
        let gap = sum_below / below - (all - sum_below) / above;
        let spread = below * above * gap * gap;
        if spread > best {
            (best, threshold) = (spread, value.saturating_add(1));
        }
    }
    threshold
}

/// Sum of squared differences of neighbouring row sums after shearing by this angle.
fn sharpness(ink: &[(f32, f32)], degrees: f32) -> f64 {
    let slope = degrees.to_radians().tan();
    let shift = 2.0 + SMALL as f32 * 2.0 * slope.abs();
    let mut rows = vec![0i64; (SMALL as f32 * 2.0 + 2.0 * shift) as usize + 2];
    for (x, y) in ink {
        let row = (y - x * slope + shift).round().max(0.0) as usize;
        if let Some(sum) = rows.get_mut(row) {
            *sum += 1;
        }
    }
    rows.windows(2).map(|pair| ((pair[1] - pair[0]) * (pair[1] - pair[0])) as f64).sum()
}

/// The value between pixels (Catmull-Rom over 4 x 4); `None` outside the page.
fn bicubic(page: &GrayImage, x: f32, y: f32) -> Option<u8> {
    let (width, height) = page.dimensions();
    if x < 0.0 || y < 0.0 || x > (width - 1) as f32 || y > (height - 1) as f32 {
        return None;
    }
    let (left, top) = (x.floor() as i64, y.floor() as i64);
    let (wx, wy) = (weights(x - left as f32), weights(y - top as f32));
    let raw = page.as_raw();
    let mut sum = 0.0;
    for (row, weight_y) in (top - 1..).zip(wy) {
        let row = row.clamp(0, i64::from(height) - 1) as usize * width as usize;
        for (column, weight_x) in (left - 1..).zip(wx) {
            let column = column.clamp(0, i64::from(width) - 1) as usize;
            sum += f32::from(raw[row + column]) * weight_x * weight_y;
        }
    }
    Some(sum.round().clamp(0.0, 255.0) as u8)
}

fn weights(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [0.5 * (-t3 + 2.0 * t2 - t), 0.5 * (3.0 * t3 - 5.0 * t2 + 2.0), 0.5 * (-3.0 * t3 + 4.0 * t2 + t), 0.5 * (t3 - t2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of dashes in lines, as text looks from afar.
    fn page() -> GrayImage {
        GrayImage::from_fn(800, 1000, |x, y| {
            let in_text = (80..720).contains(&x) && (80..920).contains(&y);
            Luma([if in_text && y % 24 < 10 && x % 40 < 31 { 20 } else { 240 }])
        })
    }

    #[test]
    fn a_lean_is_measured_and_put_right() {
        for lean in [-7.0f32, -2.5, 0.8, 4.0] {
            let leaning = straighten(&page(), -lean);
            let found = angle(&leaning).expect("lines of text tell the lean");
            assert!((found - lean).abs() <= 0.2, "leant {lean}, found {found}");
            let rest = angle(&straighten(&leaning, found)).unwrap_or(0.0);
            assert!(rest.abs() <= 0.2, "leant {lean}, still leans {rest}");
        }
    }

    #[test]
    fn a_straight_or_empty_page_does_not_lean() {
        assert!(angle(&page()).unwrap_or(0.0).abs() < 0.2);
        assert_eq!(angle(&GrayImage::from_pixel(500, 500, Luma([255]))), None);
    }
}
