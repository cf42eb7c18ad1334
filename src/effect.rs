//! Effects: the host's work once the record is stored. It sends an SMS, ends passes at the gate, tells
//! the user of a change, or keeps an event for audit.

use serde::Serialize;

use crate::epoch::FactorEpoch;
use crate::event::Event;
use crate::ids::{AccountId, UserId};
use crate::notice::Notice;
use crate::secret_text::SecretText;
use crate::time::UnixSeconds;

/// A task of the host once the record is stored.
///
/// Tasks come in the order in which to do them: a gate is told first, then events are kept, then people are
/// told, and a message is sent last. So a mail server or an SMS gateway that hangs keeps back no event.
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

impl Effect {
    /// The effects in the order in which to do them; those of one kind keep theirs. There are few, and a sort of
    /// the standard library would add kilobytes to the module.
    pub(crate) fn in_order(effects: Vec<Self>) -> Vec<Self> {
        let mut ordered: Vec<Self> = Vec::with_capacity(effects.len());
        for effect in effects {
            let place = ordered.partition_point(|earlier| earlier.turn() <= effect.turn());
            ordered.insert(place, effect);
        }
        ordered
    }

    const fn turn(&self) -> u8 {
        match self {
            Self::EndPasses(_) => 0,
            Self::Log(_) => 1,
            Self::Notify(_) => 2,
            Self::Sms(_) => 3,
        }
    }
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
    /// The user's account, where the host has accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The user, who may have a language of their own.
    pub user: UserId,
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
