//! QR codes as SVG (ISO/IEC 18004). The crate qrcode places the bits. The segments and the mask are chosen here: its own
//! choice of a mask takes ten times as long as all else, and its segments split a secret that has digits.

mod mask;
mod segments;

use qrcode::bits::Bits;
use qrcode::canvas::Canvas;
use qrcode::ec::construct_codewords;
use qrcode::optimize::total_encoded_len;
use qrcode::types::{Color, EcLevel, QrError, Version};

use crate::error::{Error, ErrorCode};

const CORRECTION: EcLevel = EcLevel::M;

/// Digits that the largest code holds. Other texts are shorter.
const LONGEST: usize = 5_596;

/// A QR code as compact SVG: one path, no scripts, no links, nothing external.
///
/// # Errors
/// [`ErrorCode::TooLong`] past the capacity of a QR code of medium correction: 2,331 bytes, or more where capitals and
/// digits stand together.
pub fn qr_svg(text: &str) -> Result<String, Error> {
    let (colors, side) =
        draw(text.as_bytes()).map_err(|_| Error::new(ErrorCode::TooLong, "text", "is too long for a QR code: at most 2331 bytes"))?;
    // Four modules of quiet zone on each side (§9.1). The middle of a row is at a
    // whole number, which takes less room than a half.
    let width = side.saturating_add(8);
    let head = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 -.5 {width} {width}\" shape-rendering=\"crispEdges\" role=\"img\" aria-label=\"QR code\"><path fill=\"#fff\" d=\"M0-.5h{width}v{width}H0z\"/><path stroke=\"#000\" d=\""
    );
    // One allocation: a QR code has fewer than two letters a module.
    let mut svg = String::with_capacity(colors.len().saturating_mul(2).saturating_add(512));
    svg.push_str(&head);
    push_path(&mut svg, &colors, side);
    svg.push_str("\"/></svg>");
    Ok(svg)
}

/// One stroke a row: dark runs are drawn, light ones skipped.
fn push_path(path: &mut String, colors: &[Color], side: usize) {
    for (y, row) in colors.chunks(side.max(1)).enumerate() {
        let mut x = 0_usize;
        let mut is_at_start = true;
        for run in row.chunk_by(|a, b| a == b) {
            let end = x.saturating_add(run.len());
            if run.first() == Some(&Color::Dark) {
                if is_at_start {
                    path.push('M');
                    push_number(path, x.saturating_add(4));
                    path.push(' ');
                    push_number(path, y.saturating_add(4));
                    is_at_start = false;
                }
                path.push('h');
                push_number(path, run.len());
            } else if !is_at_start && end < side {
                path.push('m');
                push_number(path, run.len());
                path.push_str(" 0");
            }
            x = end;
        }
    }
}

/// In decimal, without the detour of `write!`.
fn push_number(text: &mut String, number: usize) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    let digit = (number % 10).try_into().ok().and_then(|digit| char::from_digit(digit, 10));
    text.push(digit.unwrap_or('0'));
}

/// The modules, row by row, and the number of them on a side.
fn draw(text: &[u8]) -> Result<(Vec<Color>, usize), QrError> {
    let bits = encode(text)?;
    let version = bits.version();
    let (data, correction) = construct_codewords(&bits.into_bytes(), version, CORRECTION)?;
    let mut canvas = Canvas::new(version, CORRECTION);
    canvas.draw_all_functional_patterns();
    canvas.draw_data(&data, &correction);
    let side = version.width().unsigned_abs();
    canvas.apply_mask(mask::best(&canvas, side.into()));
    Ok((canvas.into_colors(), side.into()))
}

/// The bits of the smallest version that holds the text.
fn encode(text: &[u8]) -> Result<Bits, QrError> {
    if text.len() > LONGEST {
        return Err(QrError::DataTooLong);
    }
    // The head of a segment grows after versions 9 and 26.
    for largest in [9, 26, 40] {
        let segments = segments::shortest(text, Version::Normal(largest));
        let needed = total_encoded_len(&segments, Version::Normal(largest));
        let holds = |bits: &Bits| bits.max_len(CORRECTION).is_ok_and(|most| needed <= most);
        if let Some(mut bits) = (1..=largest).map(|version| Bits::new(Version::Normal(version))).find(holds) {
            bits.push_segments(text, segments.into_iter())?;
            bits.push_terminator(CORRECTION)?;
            return Ok(bits);
        }
    }
    Err(QrError::DataTooLong)
}
