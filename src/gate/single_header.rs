//! A header or cookie that must come once. One that comes twice has no value: the gate and a service
//! behind it might each take another of the two, so the request is refused.

/// A header or cookie that must come once, as it was found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum SingleHeader<'a> {
    #[default]
    Absent,
    Value(&'a [u8]),
    Repeated,
}

impl<'a> SingleHeader<'a> {
    /// Notes one more occurrence.
    pub(super) const fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::Absent => Self::Value(value),
            Self::Value(_) | Self::Repeated => Self::Repeated,
        };
    }

    pub(super) const fn is_repeated(self) -> bool {
        matches!(self, Self::Repeated)
    }

    /// The value as text. A value that is not UTF-8 is the empty text, which is no token, code or id.
    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Self::Absent | Self::Repeated => None,
            Self::Value(value) => Some(core::str::from_utf8(value).unwrap_or_default()),
        }
    }
}
