//! Effects: the host's work once the record is stored. It sends an SMS, ends passes at the gate, tells
//! the user of a change, or keeps an event for audit.

use serde::Serialize;

use crate::epoch::FactorEpoch;
use crate::event::Event;
use crate::ids::{AccountId, UserId};
use crate::notice::Notice;
use crate::secret_text::SecretText;
use crate::time::UnixSeconds;

/// A task of the host once the record is stored. Tasks come in the order in which to do them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Send this SMS.
    Sms(SmsMessage),
    /// End the user's passes of earlier factor epochs, at a gate.
    EndPasses(EndedPasses),
    /// Tell the user, by a channel that is not this login.
    Notify(Notice),
    /// Keep this for audit.
    Log(Event),
}

/// Passes that a change of factors, or a rescue, has ended: put them on the gate's revocation list,
/// until the longest life of a pass has gone by since `at`. Two of one user may arrive in either order:
/// keep the greater `epoch` as text, and the later end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct EndedPasses {
    /// The user's account, where the host has accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The user.
    pub user: UserId,
    /// The epoch whose passes go on counting, with those of later ones. Those of earlier ones have ended.
    pub epoch: FactorEpoch,
    /// The time of the change, in unix seconds.
    pub at: UnixSeconds,
}

/// An SMS to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct SmsMessage {
    /// Unique for this message: hand it to the gateway as idempotency key.
    pub id: String,
    /// The number in E.164 form.
    pub to: SecretText,
    /// The text in English: one GSM-7 segment, last line bound to the origin.
    pub body: SecretText,
    /// The time at which the code ends, in unix seconds: do not deliver it later.
    pub expires_at: UnixSeconds,
    /// The parts, for a text in another language. Keep the last line `@host #code`.
    pub template: SmsTemplate,
}

/// The parts of an SMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct SmsTemplate {
    /// The code.
    pub code: SecretText,
    /// Life of the code in minutes, rounded down.
    pub minutes: u32,
    /// Host of the login page.
    pub host: String,
    /// The service's name.
    pub name: String,
}
