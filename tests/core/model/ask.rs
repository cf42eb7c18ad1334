//! The model's commands: the engine's, with pools of tokens in place of their texts.

use crate::policy::{Channel, Method, Role};

use super::browsers::Trust;

pub(super) type Plan = Option<&'static str>;

/// One of nine people: the same three user ids in each of three accounts.
pub(super) type Who = usize;

pub(super) const ACCOUNTS: [Option<&str>; 3] = [None, Some("strict"), Some("lenient")];
/// The last one is the owner.
pub(super) const USERS: [&str; 3] = ["ann", "bob", "olga"];
pub(super) const OWNER: usize = 2;
/// Sessions; those that begin with `x` are a thief's, who has the password.
pub(super) const SESSIONS: [&str; 6] = ["s1", "s2", "s3", "s4", "x1", "x2"];

pub(super) const fn account(who: Who) -> usize {
    who / USERS.len()
}

pub(super) fn owner_of(who: Who) -> Who {
    account(who) * USERS.len() + OWNER
}

pub(super) fn is_thief(session: &str) -> bool {
    session.starts_with('x')
}

/// The content of a token's field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    None,
    Junk,
    Ticket(usize),
    Pass(usize),
    Setup(usize),
    /// New backup codes, sealed.
    NewCodes(usize),
    /// A set-up in which a symbol was changed.
    Altered(usize),
}

/// A typed code: the text, and the code that it spells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) text: String,
    pub(super) plain: String,
}

impl Typed {
    pub(super) fn is_digits(&self, digits: u8) -> bool {
        self.plain.len() == usize::from(digits) && self.plain.bytes().all(|b| b.is_ascii_digit())
    }

    pub(super) fn is_long(&self) -> bool {
        self.plain.len() == 16 && self.plain.bytes().all(|b| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&b))
    }
}

#[derive(Debug, Clone)]
pub(super) enum Ask {
    Begin {
        session: &'static str,
        channel: Channel,
        plan: Plan,
    },
    SendSms {
        ticket: Token,
        session: &'static str,
        /// The id of the phone, where it is named.
        factor: Option<String>,
    },
    Verify {
        ticket: Token,
        session: &'static str,
        next: &'static str,
        method: Method,
        /// The id of the app or phone, where it is named.
        factor: Option<String>,
        code: Typed,
        trust: Option<Trust>,
    },
    EnrollApp {
        session: &'static str,
        pass: Token,
        ticket: Token,
        name: Option<&'static str>,
        /// The id of the factor in whose place it comes.
        replaces: Option<String>,
        plan: Plan,
    },
    /// The page of a set-up is loaded again.
    ShowSetup {
        session: &'static str,
        setup: Token,
    },
    ConfirmApp {
        session: &'static str,
        /// The new id of the session, where the host names one.
        next: Option<&'static str>,
        setup: Token,
        code: Typed,
    },
    EnrollPhone {
        session: &'static str,
        pass: Token,
        ticket: Token,
        number: &'static str,
        name: Option<&'static str>,
        replaces: Option<String>,
        plan: Plan,
    },
    ConfirmPhone {
        session: &'static str,
        /// The new id of the session, where the host names one.
        next: Option<&'static str>,
        setup: Token,
        code: Typed,
    },
    Rename {
        session: &'static str,
        pass: Token,
        factor: String,
        name: &'static str,
    },
    Remove {
        session: &'static str,
        pass: Token,
        factor: String,
    },
    RemoveBrowser {
        session: &'static str,
        pass: Token,
        browser: String,
    },
    Renew {
        session: &'static str,
        pass: Token,
    },
    Show {
        session: &'static str,
        pass: Token,
    },
    /// The page of new codes is loaded again.
    ShowNew {
        session: &'static str,
        pass: Token,
        codes: Token,
    },
    /// The person says that the codes of this set are saved.
    ConfirmCodes {
        session: &'static str,
        pass: Token,
        set: String,
    },
    Issue {
        by: Who,
        session: &'static str,
        pass: Token,
        role: Role,
    },
    Reset {
        by: Who,
        session: &'static str,
        pass: Token,
        role: Role,
    },
    /// The host's own words.
    PasswordChanged,
    SignOutEverywhere,
    OperatorIssues,
    OperatorResets,
    OperatorWithdraws,
    /// The operator's steps of a move, and the end of a user.
    Depart {
        to: Who,
    },
    Arrive {
        from: Who,
        /// The number of the departure that the operator's process has read, and not the record as it is now.
        read: Option<usize>,
    },
    Leave {
        to: Who,
    },
    Settle {
        from: Who,
    },
    Withdraw {
        from: Who,
    },
    Erased {
        /// The new place of a move that is under way, which the operator's process reads.
        to: Option<Who>,
    },
    /// The gateway tells that a message never left. No client can say so.
    NeverLeft {
        message: String,
    },
    Check {
        session: &'static str,
        pass: Token,
        channel: Channel,
        max_age: Option<u32>,
        methods: Option<Vec<Method>>,
        fresh: bool,
        plan: Plan,
        with_record: bool,
        /// Whether the host has a revocation list.
        with_list: bool,
    },
    /// A request at the gate of the account, which never asks for a record.
    Gate {
        session: &'static str,
        pass: Token,
    },
}

impl Ask {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Begin { .. } => "begin",
            Self::SendSms { .. } => "send_sms",
            Self::Verify { .. } => "verify",
            Self::EnrollApp { .. } => "enroll_totp",
            Self::ShowSetup { .. } => "show_totp_setup",
            Self::ConfirmApp { .. } => "confirm_totp",
            Self::EnrollPhone { .. } => "enroll_sms",
            Self::ConfirmPhone { .. } => "confirm_sms",
            Self::Rename { .. } => "rename",
            Self::Remove { .. } => "remove",
            Self::RemoveBrowser { .. } => "remove_trusted_browser",
            Self::Renew { .. } => "renew_backup_codes",
            Self::Show { .. } => "show_backup_codes",
            Self::ShowNew { .. } => "show_new_backup_codes",
            Self::ConfirmCodes { .. } => "confirm_backup_codes",
            Self::Issue { .. } => "issue_recovery_code",
            Self::Reset { .. } => "reset",
            Self::PasswordChanged => "password_changed",
            Self::SignOutEverywhere => "sign_out_everywhere",
            Self::OperatorIssues => "operator issue",
            Self::OperatorResets => "operator reset",
            Self::OperatorWithdraws => "operator withdraw",
            Self::Depart { .. } => "depart",
            Self::Arrive { .. } => "arrive",
            Self::Leave { .. } => "leave",
            Self::Settle { .. } => "settle",
            Self::Withdraw { .. } => "withdraw",
            Self::Erased { .. } => "erased",
            Self::NeverLeft { .. } => "sms_never_left",
            Self::Check { .. } => "check",
            Self::Gate { .. } => "gate",
        }
    }
}

/// A ticket that was made.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    /// For the set-up of the first factor, and not for the second step.
    pub(super) is_for_set_up: bool,
    pub(super) who: Who,
    pub(super) session: &'static str,
    pub(super) logins: usize,
    pub(super) from: u64,
    pub(super) until: u64,
    pub(super) kid: usize,
    pub(super) text: String,
}

/// A pass that was made.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    pub(super) who: Who,
    pub(super) session: &'static str,
    pub(super) method: Method,
    /// The id of the app or phone, where it was one.
    pub(super) factor: String,
    pub(super) epoch: usize,
    pub(super) from: u64,
    pub(super) shown_at: u64,
    pub(super) until: u64,
    pub(super) kid: usize,
    pub(super) text: String,
}

/// The key rings, by numbers; the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) sealing: Vec<usize>,
    pub(super) signing: Vec<usize>,
    /// The keys that were ever made.
    pub(super) sealings: usize,
    pub(super) signings: usize,
}

impl Keys {
    pub(super) fn newest(&self) -> usize {
        self.sealing[0]
    }

    /// The rings with every key that was ever in them.
    pub(super) fn all_put_back(&self) -> Self {
        Self { sealing: (0..self.sealings).rev().collect(), signing: (0..self.signings).rev().collect(), ..self.clone() }
    }
}
