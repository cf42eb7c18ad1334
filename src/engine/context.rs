//! The circumstances of a step, and the means of all commands: the record, the clock, the client,
//! the log, and the login decision.

use crate::client_ip::ClientIp;
use crate::effect::Effect;
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode};
use crate::event::{Action, Event, EventKind};
use crate::factor::FactorName;
use crate::hashed_codes::Hashes;
use crate::ids::{AccountId, RecordId, UserId};
use crate::keys::KeyRing;
use crate::notice::{Notice, NoticeKind, Recipient};
use crate::policy::{Channel, Decision, Enrollment, Facts, Method, Policy, Reason, Roles, explain};
use crate::record::{Factor, Record};
use crate::time::UnixSeconds;

use super::pending::Limit;
use super::reply::Reply;

/// The circumstances of a step.
#[derive(Debug)]
pub struct Env {
    /// The time by the host's clock.
    pub now: UnixSeconds,
    /// The address that the request comes from.
    pub client: ClientIp,
    /// The roles of the user whom the command is about.
    pub roles: Roles,
    /// Random bytes for this step alone; [`Entropy::again`] where it is tried again.
    pub entropy: Entropy,
}

/// Everything that a command reads and changes.
pub(super) struct Context<'a> {
    pub(super) policy: &'a Policy,
    pub(super) keys: &'a KeyRing,
    pub(super) record: Record,
    pub(super) now: UnixSeconds,
    pub(super) client: ClientIp,
    roles: Roles,
    pub(super) entropy: Entropy,
    pub(super) hashes: &'a mut dyn Hashes,
    pub(super) effects: Vec<Effect>,
    /// A count that the host keeps, and that a message of this step depends on.
    pub(super) limit: Option<Limit>,
}

/// The part of a context that a look at a record needs.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) policy: &'a Policy,
    pub(super) keys: &'a KeyRing,
    pub(super) record: &'a Record,
    pub(super) now: UnixSeconds,
}

impl<'a> Context<'a> {
    pub(super) fn new(policy: &'a Policy, keys: &'a KeyRing, record: Record, env: Env, hashes: &'a mut dyn Hashes) -> Self {
        let Env { now, client, roles, entropy } = env;
        Self { policy, keys, record, now, client, roles, entropy, hashes, effects: Vec::new(), limit: None }
    }

    pub(super) const fn view(&self) -> View<'_> {
        View { policy: self.policy, keys: self.keys, record: &self.record, now: self.now }
    }

    pub(super) fn id(&self) -> RecordId {
        self.record.id().clone()
    }

    pub(super) fn account(&self) -> Option<AccountId> {
        self.record.id().account().cloned()
    }

    pub(super) fn log(&mut self, kind: EventKind) {
        self.effects.push(Effect::Log(Event::new(self.record.id(), self.now, self.client, kind)));
    }

    /// Tells the user, once the record is stored.
    pub(super) fn notify(&mut self, kind: NoticeKind, method: Option<Method>) {
        self.tell(Recipient::User, kind, method, None, None);
    }

    /// Tells the user that an app or phone was added, replaced or removed.
    pub(super) fn notify_of_factor(&mut self, kind: NoticeKind, method: Method, name: &FactorName) {
        self.tell(Recipient::User, kind, Some(method), Some(name.clone()), None);
    }

    /// Tells the user and the owners, once the record is stored.
    pub(super) fn notify_all(&mut self, kind: NoticeKind, method: Option<Method>, by: Option<UserId>) {
        for to in [Recipient::User, Recipient::Owners] {
            self.tell(to, kind, method, None, by.clone());
        }
    }

    fn tell(&mut self, to: Recipient, kind: NoticeKind, method: Option<Method>, name: Option<FactorName>, by: Option<UserId>) {
        let (account, user) = (self.account(), self.record.user().clone());
        let ip = kind.address_for(to, self.client);
        let backup_codes_left = (method == Some(Method::BackupCode)).then(|| self.record.backup_left());
        self.effects.push(Effect::Notify(Notice { account, to, user, kind, method, name, at: self.now, by, ip, backup_codes_left }));
    }

    /// Takes an app or phone out. The caller tells the user.
    pub(super) fn drop_factor(&mut self, Factor { named, method, .. }: &Factor) {
        self.record.drop_factor(&named.id);
        self.log(EventKind::FactorRemoved { method: *method, factor: named.clone() });
    }

    /// Refuses a command, and logs it.
    pub(super) fn denied(&mut self, action: Action, reason: Reason) -> Reply {
        self.log(EventKind::Refused { action, reason, by: None });
        Reply::denied(reason)
    }

    /// Refuses a command until a time, and logs it.
    pub(super) fn denied_until(&mut self, action: Action, reason: Reason, retry_at: UnixSeconds) -> Reply {
        self.log(EventKind::Refused { action, reason, by: None });
        Reply::Denied { reason, retry_at: Some(retry_at) }
    }

    /// The decision on a login from the client's address now.
    pub(super) fn decide(&self, channel: Channel, enrollment: Enrollment, plan: Option<&str>) -> Decision {
        let recovery_code = self.record.live_recovery(self.policy, self.now).is_some();
        let Self { policy, now, client, roles, .. } = self;
        explain(policy, &Facts { now: *now, client: *client, roles, channel, enrollment, plan, recovery_code }).decision
    }

    /// The address rule that turns the client away, if one does. Address rules look at no enrollment.
    pub(super) fn turned_away(&self, channel: Channel) -> Option<Reason> {
        match self.decide(channel, Enrollment::None, None) {
            Decision::Denied(reason) if reason.is_about_the_address() => Some(reason),
            Decision::Denied(_) | Decision::Allowed | Decision::Challenge | Decision::SetUp => None,
        }
    }

    /// Whether a second factor is forced for this user from here.
    pub(super) fn is_forced(&self) -> bool {
        self.decide(Channel::Web, Enrollment::None, None) != Decision::Allowed
    }
}

/// An argument that the host must get right.
pub(super) fn invalid(path: &str, message: &str) -> Error {
    Error::new(ErrorCode::InvalidInput, path, message)
}
