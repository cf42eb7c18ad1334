//! Characters that nobody sees, and dashes. A phone or a web page puts them around a copied code, and a
//! name with bidirectional controls reads otherwise than it is.
//!
//! The list is by name; there is no Unicode normalisation, so that no look-alike ever becomes a digit
//! or a letter.

/// Whether a character may stand between and around the symbols of a code or number: white space, a dash, or one that
/// nobody sees. A variation selector follows a digit that a phone shows as a picture.
pub(crate) fn is_separator(c: char) -> bool {
    c.is_whitespace() || is_dash(c) || is_invisible(c) || matches!(c, '\u{fe00}'..='\u{fe0f}')
}

/// Whether a character has no width of its own: joiners, invisible operators, marks of direction, the byte order mark.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' // soft hyphen
        | '\u{200b}' // zero width space
        | '\u{200c}' // zero width non-joiner
        | '\u{200d}' // zero width joiner
        | '\u{180e}' // Mongolian vowel separator
        | '\u{2060}' // word joiner
        | '\u{2061}'
            ..='\u{2064}' // invisible function application, times, separator, plus
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

/// Whether a character is a hyphen or a dash, as word processors and keyboards write between groups.
const fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{2010}'
            ..='\u{2015}' // hyphens, dashes and the horizontal bar
        | '\u{2043}' // hyphen bullet
        | '\u{2212}' // minus sign
        | '\u{fe58}' // small em dash
        | '\u{fe63}' // small hyphen-minus
        | '\u{ff0d}' // full-width hyphen-minus
    )
}
