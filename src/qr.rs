//! QR codes as SVG (ISO/IEC 18004).

use core::fmt::Write as _;

use fast_qr::ECL;
use fast_qr::qr::QRBuilder;

use crate::error::{Error, ErrorCode};

/// A QR code as compact SVG: one path, no scripts, no links, nothing external.
///
/// # Errors
/// [`ErrorCode::TooLong`] past 2,331 bytes, the capacity of a QR code of medium correction.
pub fn qr_svg(text: &str) -> Result<String, Error> {
    let code = QRBuilder::new(text)
        .ecl(ECL::M)
        .build()
        .map_err(|_| Error::new(ErrorCode::TooLong, "text", "is too long for a QR code: at most 2331 bytes"))?;
    // Four modules of quiet zone on each side (ISO/IEC 18004 §9.1).
    let side = code.size.saturating_add(8);
    let mut path = String::new();
    for (y, row) in code.data.chunks(code.size.max(1)).take(code.size).enumerate() {
        // One stroke a row, through the middle of its modules: dark runs are drawn, light ones skipped.
        let mut x = 0_usize;
        let mut pen_at_start = true;
        for run in row.chunk_by(|a, b| a.value() == b.value()) {
            if run.first().is_some_and(|module| module.value()) {
                // Writing to a String cannot fail.
                let _ = match pen_at_start {
                    true => write!(path, "M{} {}.5h{}", x.saturating_add(4), y.saturating_add(4), run.len()),
                    false => write!(path, "h{}", run.len()),
                };
                pen_at_start = false;
            } else if !pen_at_start && x.saturating_add(run.len()) < code.size {
                let _ = write!(path, "m{} 0", run.len());
            }
            x = x.saturating_add(run.len());
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\" role=\"img\" aria-label=\"QR code\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path stroke=\"#000\" d=\"{path}\"/></svg>"
    ))
}
