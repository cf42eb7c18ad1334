//! The text of an SMS: one GSM-7 segment, whose last line binds the code to the origin, so that a
//! phone offers it to no other site (WICG, origin-bound one-time codes).

/// Longest text that fits one segment, in characters of the GSM 7-bit alphabet (3GPP TS 23.038).
pub(crate) const MAX_SEGMENT: usize = 160;

/// The text for a code. `minutes` is the life of the code, `host` the host of the login page.
pub(crate) fn sms_text(name: &str, host: &str, minutes: u32, code: &str) -> String {
    format!("{code} is your {name} code, valid {minutes} min. Give it to no one.\n\n@{host} #{code}")
}

/// Whether every character is in the basic alphabet of GSM 7-bit (3GPP TS 23.038 §6.2.1), so that it
/// costs one septet. The characters of the extension table, which cost two, are not in it.
pub(crate) fn is_gsm7(text: &str) -> bool {
    text.chars().all(|c| match c {
        // ASCII but for the characters that the alphabet lacks or has in its extension table.
        '`' | '^' | '{' | '}' | '\\' | '[' | ']' | '~' | '|' => false,
        ' '..='~' | '\n' => true,
        other => GSM7_BEYOND_ASCII.contains(other),
    })
}

/// Whether a text has a letter in two characters, such as `u` and a diaeresis (Unicode NFD). It looks like a letter of the
/// alphabet, and is none.
pub(crate) fn is_decomposed(text: &str) -> bool {
    text.contains(|c| matches!(c, '\u{300}'..='\u{36f}'))
}

/// Characters of the basic alphabet that are not in ASCII.
const GSM7_BEYOND_ASCII: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
