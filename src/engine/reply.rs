//! Replies: the answers to the host's commands. A wrong code is a reply, never an error.

use serde::Serialize;

use crate::event::SmsRefusal;
use crate::factor::{FactorId, FactorName, NamedFactor};
use crate::ids::{SessionId, UserId};
use crate::policy::{Method, Reason};
use crate::secret_text::SecretText;
use crate::time::UnixSeconds;

use super::client_field::ClientField;

/// A method that the user can use right now, with the data for drawing the field of its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct UsableMethod {
    /// The method.
    pub method: Method,
    /// The form of its codes.
    pub kind: CodeKind,
    /// Length of the code, 6 to 8, where the form is `digits` and all factors have the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digits: Option<u8>,
    /// The end of the phone number, `•••• 678`, where the method is `sms`: the number to which a code goes where no
    /// phone is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The user's apps or phones of this method, where it is `totp` or `sms`. The one that logged the user in last comes first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub factors: Vec<UsableFactor>,
    /// Whether the person has the codes, as `status` tells it, where the method is `backup_code`: while false, the
    /// reply that brought them may have been lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<bool>,
}

/// An app or a phone that the user can use right now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct UsableFactor {
    /// Its id, for `verify` and `send_sms`.
    pub id: FactorId,
    /// Its name.
    pub name: FactorName,
    /// Length of its codes, 6 to 8.
    pub digits: u8,
    /// The end of the phone number, `•••• 678`, where it is a phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The form of a code, as a person types it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum CodeKind {
    /// 6 to 8 digits.
    Digits,
    /// 16 letters and digits in four groups: `XXXX-XXXX-XXXX-XXXX`.
    Grouped,
    /// The token in a trusted browser's cookie. Nobody types it: the host hands it over.
    Token,
}

/// A backup code, and whether it was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
pub struct ShownCode {
    /// `XXXX-XXXX-XXXX-XXXX`.
    pub code: SecretText,
    /// True once it was used.
    pub used: bool,
}

/// The token of a trusted browser, for its cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct BrowserCookie {
    /// The token, 56 characters: the browser's id in `status`, a full stop, and a secret. Set it as a cookie that no script reads
    /// (`__Host-` prefix, `Secure`, `HttpOnly`, `SameSite=Lax`), and keep it nowhere else.
    pub token: SecretText,
    /// The time at which the trust ends: the end of the cookie.
    pub expires_at: UnixSeconds,
}

/// The answer to a command. Times are in unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(tag = "result", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Reply {
    /// The user is in, without a second factor.
    Allowed {
        /// The user has no factor and may set one up: suggest it.
        enroll: bool,
    },
    /// A second factor is needed.
    Challenge {
        /// Proof of the first factor, for `verify` and `send_sms` from the same session.
        ticket: SecretText,
        /// The methods that the user can use right now.
        methods: Vec<UsableMethod>,
        /// The time at which the ticket ends.
        expires_at: UnixSeconds,
    },
    /// A second factor is forced, and the user never had one: it is set up now, by the password alone.
    SetUp {
        /// Proof of the first factor, for `enroll_totp` and `enroll_sms` from the same session, and for nothing else.
        ticket: SecretText,
        /// The factors that may be set up.
        methods: Vec<Method>,
        /// The time at which the ticket ends.
        expires_at: UnixSeconds,
    },
    /// The command is refused.
    Denied {
        /// The rule that refuses it.
        reason: Reason,
        /// The time from which to ask again, where time alone helps.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<UnixSeconds>,
    },
    /// A code is on its way.
    SmsSent {
        /// The set-up that the code confirms, where it is for one: hand it back with the code. It is sealed.
        #[serde(skip_serializing_if = "Option::is_none")]
        setup: Option<SecretText>,
        /// The end of the number, `•••• 678`.
        hint: String,
        /// Length of the code, 6 to 8.
        digits: u8,
        /// The time at which the code ends.
        expires_at: UnixSeconds,
        /// The time from which another message may be asked for: cool-down and budget admit it then.
        resend_at: UnixSeconds,
    },
    /// No code was sent.
    SmsRefused {
        /// The reason.
        reason: SmsRefusal,
        /// The time from which to ask again. Absent: only an owner's recovery code helps.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<UnixSeconds>,
    },
    /// The second factor passed: the user is in.
    Verified {
        /// The user.
        user: UserId,
        /// The pass, bound to `session`.
        pass: SecretText,
        /// The session id that the pass is bound to: make it the user's from now on.
        session: SessionId,
        /// The method that was used.
        method: Method,
        /// The app or phone that was used, where it was one; the browser, where the method is `trusted_browser`.
        #[serde(skip_serializing_if = "Option::is_none")]
        factor: Option<Box<NamedFactor>>,
        /// The time at which the pass ends.
        expires_at: UnixSeconds,
        /// The user should set up a factor now: the next login needs another recovery code.
        enroll: bool,
        /// Number of backup codes left, after one was used.
        #[serde(skip_serializing_if = "Option::is_none")]
        backup_codes_left: Option<usize>,
        /// An app whose secret has fewer than 160 bits, because another system made it: ask the user to set it up anew, by
        /// `enroll_totp` with its id in `replaces`.
        #[serde(skip_serializing_if = "Option::is_none")]
        weak: Option<Box<NamedFactor>>,
        /// New backup codes, at the first login after an app was imported. They are shown this once.
        #[serde(skip_serializing_if = "Option::is_none")]
        backup_codes: Option<Vec<SecretText>>,
        /// The id of their set, as in `enrolled`.
        #[serde(skip_serializing_if = "Option::is_none")]
        set: Option<String>,
        /// The codes, sealed, as in `enrolled`.
        #[serde(skip_serializing_if = "Option::is_none")]
        new_codes: Option<SecretText>,
        /// The cookie of this browser from now on, where it is trusted: the token is another one after each use.
        #[serde(skip_serializing_if = "Option::is_none")]
        browser: Option<Box<BrowserCookie>>,
    },
    /// The code is wrong.
    Wrong {
        /// Attempts left before a wait; at the set-up of a phone, attempts left at this code. Absent for a code
        /// that is not counted: a recovery code, or one at the set-up of an app.
        #[serde(skip_serializing_if = "Option::is_none")]
        attempts_left: Option<u32>,
        /// The time from which the next attempt may be made. Absent: at once.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<UnixSeconds>,
        /// So many seconds ago, ten minutes at most, an app was to show this code: the clock of its phone is about so slow, or the
        /// code is an old one. It is exact to one step of the app, of 30 seconds mostly. Absent: it is no such code.
        #[serde(skip_serializing_if = "Option::is_none")]
        slow_by_seconds: Option<u64>,
    },
    /// A field that comes from the client does not have the form that it must have. Nothing was counted.
    Malformed {
        /// The field.
        field: ClientField,
        /// The form, in words.
        expected: String,
        /// The form of a code, for a page that draws the field, where it is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        kind: Option<CodeKind>,
        /// Length of the code, 6 to 8, where the form is `digits`.
        #[serde(skip_serializing_if = "Option::is_none")]
        digits: Option<u8>,
    },
    /// The code is right, and was used already. The attempt was not counted. At a set-up: it is confirmed already.
    AlreadyUsed {
        /// The time from which the app shows a code that counts. Absent: ask for another code.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<UnixSeconds>,
    },
    /// Too many codes were wrong. Nothing was compared.
    Locked {
        /// The time from which the next attempt may be made. Absent: only an owner's recovery code helps.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<UnixSeconds>,
    },
    /// No code is alive that this one could answer; or the set-up is not this session's, has timed out, or
    /// was ended by a change of factors; or the backup codes are of a set that has ended; or the browser is not trusted (any
    /// more): forget its cookie, and ask for a code.
    Expired {},
    /// The app can be set up: show this.
    TotpStarted {
        /// The set-up, to hand back with a code. It is sealed; keep it in the session, or in the page.
        setup: SecretText,
        /// The `otpauth://` URI.
        uri: SecretText,
        /// The secret in groups of four, to type by hand.
        secret: SecretText,
        /// The URI as a QR code (SVG).
        qr_svg: SecretText,
        /// Length of the app's codes, 6 to 8.
        digits: u8,
        /// The time at which the set-up ends.
        expires_at: UnixSeconds,
    },
    /// The factor is on.
    Enrolled {
        /// `totp` or `sms`.
        method: Method,
        /// The factor.
        factor: NamedFactor,
        /// The new backup codes, after the first factor. They are shown this once.
        #[serde(skip_serializing_if = "Option::is_none")]
        backup_codes: Option<Vec<SecretText>>,
        /// The id of their set: hand it back with `confirm_backup_codes` once the person has saved them.
        #[serde(skip_serializing_if = "Option::is_none")]
        set: Option<String>,
        /// The codes, sealed: with it, `show_new_backup_codes` shows them again for ten minutes. Keep it in the session.
        #[serde(skip_serializing_if = "Option::is_none")]
        new_codes: Option<SecretText>,
        /// The pass, bound to `session`.
        pass: SecretText,
        /// The session id that the pass is bound to. After a set-up by a set-up ticket it is a new one: make it the
        /// user's from now on.
        session: SessionId,
        /// The time at which the pass ends.
        expires_at: UnixSeconds,
    },
    /// The factor has the new name.
    Renamed {
        /// `totp` or `sms`.
        method: Method,
        /// The factor.
        factor: NamedFactor,
    },
    /// The factor is off.
    Removed {
        /// `totp` or `sms`.
        method: Method,
        /// The factor.
        factor: NamedFactor,
        /// The methods of the factors that are left, one for each factor.
        methods_left: Vec<Method>,
        /// The pass of this session from now on.
        pass: SecretText,
        /// The time at which the pass ends.
        expires_at: UnixSeconds,
    },
    /// The browser is trusted no more. Its session goes on.
    TrustedBrowserRemoved {
        /// The browser.
        browser: NamedFactor,
    },
    /// The backup codes.
    BackupCodes {
        /// The codes, in the order in which they were made.
        codes: Vec<ShownCode>,
        /// The id of their set, while nobody has confirmed it: hand it back with `confirm_backup_codes` once the
        /// person has saved the codes.
        #[serde(skip_serializing_if = "Option::is_none")]
        set: Option<String>,
        /// The codes, sealed, where they are new: with it, `show_new_backup_codes` shows them again for ten minutes. Keep it in the
        /// session.
        #[serde(skip_serializing_if = "Option::is_none")]
        new_codes: Option<SecretText>,
        /// The pass of this session from now on, where the codes are new.
        #[serde(skip_serializing_if = "Option::is_none")]
        pass: Option<SecretText>,
        /// The time at which that pass ends.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<UnixSeconds>,
    },
    /// It is noted that the person has the backup codes.
    Confirmed {},
    /// The operator moved the user's second factor.
    Moved {
        /// The apps and phones that came along; those that the user has there, where the move was done before. None where the
        /// user had a second factor at the new place, a recovery code that is not used, or was reset there, and where the policy
        /// there forces a second factor whose first one the password alone does not set up.
        factors: Vec<NamedFactor>,
    },
    /// Tickets and set-ups have ended; after `sign_out_everywhere`, passes too; at the old place of a move and after an erasure,
    /// everything.
    Ended {},
    /// A step of a move found that the other place changed meanwhile: the move begins again. No caller of the package sees it.
    MoveChanged {},
    /// A recovery code, for the owner to hand over in person.
    RecoveryCode {
        /// `XXXX-XXXX-XXXX-XXXX`, shown this once.
        code: SecretText,
        /// The time at which the code ends.
        expires_at: UnixSeconds,
    },
    /// The recovery code that was alive counts no more.
    Withdrawn {},
    /// The app counts from now on.
    Imported {
        /// The app.
        factor: NamedFactor,
        /// Whether its secret has fewer than 160 bits.
        weak: bool,
    },
    /// The user has this very app already: nothing was changed.
    Unchanged {
        /// The app.
        factor: NamedFactor,
    },
    /// The app was not imported.
    Refused {
        /// The reason.
        reason: ImportRefusal,
    },
}

/// The reason why an app is not imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "npm", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum ImportRefusal {
    /// The user has a second factor. `replace` puts the app in the place of the apps that are there.
    HasFactor,
    /// The user had a second factor here and has none now. `replace` imports the app all the same.
    HadFactor,
    /// A recovery code is alive for the user. `replace` imports the app all the same.
    RecoveryCode,
    /// The user was reset: only a recovery code lets in. The app may be the one that was taken back.
    Reset,
    /// The user was moved to another account or user id, or a move is not complete: do that move again if it failed, and import
    /// the app where the user is.
    Moved,
    /// The user was erased, and the record is not deleted: erase the user again.
    Erased,
}

impl Reply {
    /// A refusal that time does not end.
    pub(super) const fn denied(reason: Reason) -> Self {
        Self::Denied { reason, retry_at: None }
    }

    /// A field that is no text, or a text that names nothing.
    pub(super) fn malformed(field: ClientField) -> Self {
        let expected = match field {
            ClientField::Ticket => "a ticket, as text".to_owned(),
            ClientField::Method => format!("one of {}", Method::ALL.map(Method::as_str).join(", ")),
            ClientField::Setup => "a set-up, as text".to_owned(),
            ClientField::Code => "a code, as text".to_owned(),
            ClientField::Number => "a phone number, as text".to_owned(),
            ClientField::Pass => "a pass, as text".to_owned(),
            ClientField::Label => "a label, as text".to_owned(),
            ClientField::Factor | ClientField::Replaces => "the id of a factor, as text".to_owned(),
            ClientField::Browser => "the id of a trusted browser, as text".to_owned(),
            ClientField::Name => "a name of 1 to 40 characters on one line".to_owned(),
            ClientField::Set => "the id of a set of backup codes, as text".to_owned(),
            ClientField::NewCodes => "the sealed codes, as text".to_owned(),
        };
        Self::Malformed { field, expected, kind: None, digits: None }
    }

    /// A code that is not `digits` digits.
    pub(super) fn malformed_digits(digits: u8) -> Self {
        Self::Malformed {
            field: ClientField::Code,
            expected: format!("{digits} digits"),
            kind: Some(CodeKind::Digits),
            digits: Some(digits),
        }
    }

    /// A code that is none of apps with different numbers of digits.
    pub(super) fn malformed_app_code() -> Self {
        let expected = "the 6 to 8 digits that one of the apps shows".to_owned();
        Self::Malformed { field: ClientField::Code, expected, kind: Some(CodeKind::Digits), digits: None }
    }

    /// A code that is not a backup or recovery code.
    pub(super) fn malformed_long_code() -> Self {
        let expected = "16 letters and digits, like XXXX-XXXX-XXXX-XXXX".to_owned();
        Self::Malformed { field: ClientField::Code, expected, kind: Some(CodeKind::Grouped), digits: None }
    }
}
