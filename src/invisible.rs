//! Characters that nobody sees. A phone or a web page puts them around a copied code, and a name
//! with bidirectional controls reads otherwise than it is.
//!
//! The list is by name; there is no Unicode normalisation, so that no look-alike ever becomes a digit
//! or a letter.

/// Whether a character has no width of its own: joiners, marks of direction, the byte order mark.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' // soft hyphen
        | '\u{200b}' // zero width space
        | '\u{200c}' // zero width non-joiner
        | '\u{200d}' // zero width joiner
        | '\u{2060}' // word joiner
        | '\u{feff}' // byte order mark, zero width no-break space
    ) || is_bidi_control(c)
}

/// Whether a character changes the direction of the text around it (Unicode UAX #9 §2).
pub(crate) const fn is_bidi_control(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' // Arabic letter mark
        | '\u{200e}' // left-to-right mark
        | '\u{200f}' // right-to-left mark
        | '\u{202a}'..='\u{202e}' // embeddings and overrides
        | '\u{2066}'..='\u{2069}' // isolates
    )
}

/// Whether a character is a hyphen or a dash, as word processors write between groups.
pub(crate) const fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}
