//! Fields that come from a client, such as a code. They are no mistake of the host: where one is no text, or names nothing, the
//! reply is `malformed` and names it.

use serde::Serialize;

use crate::factor::{FactorId, FactorName};
use crate::json::{Document, Found};
use crate::policy::Method;

/// A field that comes from a client. Its value is any text, or no text at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum ClientField {
    /// The ticket of a challenge, or of a set-up at login.
    Ticket,
    /// The name of a method.
    Method,
    /// The set-up that a code confirms.
    Setup,
    /// A typed code.
    Code,
    /// A phone number.
    Number,
    /// A pass, the issuer's one in `by` included.
    Pass,
    /// The label of an app.
    Label,
    /// The id of a factor.
    Factor,
    /// The id of the factor that a new one replaces.
    Replaces,
    /// The name of a factor.
    Name,
    /// The id of a trusted browser.
    Browser,
    /// The id of a set of backup codes.
    Set,
    /// New backup codes, sealed.
    #[serde(rename = "newCodes")]
    NewCodes,
}

/// The first field of the client's that cannot be read.
pub(super) fn malformed(json: &str) -> Option<ClientField> {
    let document = Document::parse(json)?;
    let (name, fields) = CLIENT_FIELDS.iter().find(|(name, _)| document.at(&[name]) == Found::Other)?;
    fields.iter().find_map(|sent| {
        let (Sent::Always(field, place) | Sent::Perhaps(field, place)) = sent;
        let is_readable = match document.at(&[&[*name], *place].concat()) {
            Found::Text(text) => field.holds(text),
            Found::Nothing => matches!(sent, Sent::Perhaps(..)),
            Found::Other => false,
        };
        (!is_readable).then_some(*field)
    })
}

/// The fields that a client sends, by the name of the command.
const CLIENT_FIELDS: [(&str, &[Sent]); 14] = [
    ("send_sms", &[Sent::Always(ClientField::Ticket, &["ticket"]), FACTOR]),
    (
        "verify",
        &[
            Sent::Always(ClientField::Ticket, &["ticket"]),
            Sent::Always(ClientField::Method, &["method"]),
            FACTOR,
            Sent::Always(ClientField::Code, &["code"]),
        ],
    ),
    ("enroll_totp", &[Sent::Always(ClientField::Label, &["label"]), NAME, REPLACES, PASS, SETUP_TICKET]),
    ("show_totp_setup", &[Sent::Always(ClientField::Setup, &["setup"])]),
    ("confirm_totp", &CONFIRM),
    ("enroll_sms", &[Sent::Always(ClientField::Number, &["number"]), NAME, REPLACES, PASS, SETUP_TICKET]),
    ("confirm_sms", &CONFIRM),
    ("rename", &[Sent::Always(ClientField::Factor, &["factor"]), Sent::Always(ClientField::Name, &["name"]), PASS]),
    ("remove", &[Sent::Always(ClientField::Factor, &["factor"]), PASS]),
    ("remove_trusted_browser", &[Sent::Always(ClientField::Browser, &["browser"]), PASS]),
    ("renew_backup_codes", &[PASS]),
    ("show_backup_codes", &[PASS]),
    ("show_new_backup_codes", &[Sent::Always(ClientField::NewCodes, &["newCodes"]), PASS]),
    ("confirm_backup_codes", &[Sent::Always(ClientField::Set, &["set"]), PASS]),
];
const CONFIRM: [Sent; 2] = [Sent::Always(ClientField::Setup, &["setup"]), Sent::Always(ClientField::Code, &["code"])];
const PASS: Sent = Sent::Perhaps(ClientField::Pass, &["pass"]);
const FACTOR: Sent = Sent::Perhaps(ClientField::Factor, &["factor"]);
const REPLACES: Sent = Sent::Perhaps(ClientField::Replaces, &["replaces"]);
const NAME: Sent = Sent::Perhaps(ClientField::Name, &["name"]);
const SETUP_TICKET: Sent = Sent::Perhaps(ClientField::Ticket, &["ticket"]);

/// A field that a client sends, and its place in the command.
enum Sent {
    Always(ClientField, &'static [&'static str]),
    /// It may be left out.
    Perhaps(ClientField, &'static [&'static str]),
}

impl ClientField {
    /// Whether a text can stand in this field. Those that are read later take any text.
    fn holds(self, text: &str) -> bool {
        match self {
            Self::Method => Method::parse(text).is_some(),
            Self::Factor | Self::Replaces | Self::Browser => FactorId::parse(text).is_some(),
            Self::Name => FactorName::parse(text).is_some(),
            Self::Ticket | Self::Setup | Self::Code | Self::Number | Self::Pass | Self::Label | Self::Set | Self::NewCodes => true,
        }
    }
}
