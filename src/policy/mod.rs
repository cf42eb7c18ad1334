//! The account's rules: how they are written, how a login is decided by them, and which users a
//! change would lock out.
//!
//! The plan decides about enrollment and nothing else: when it lapses, users keep their second factor
//! and must still show it.

mod check;
mod decide;
mod document;
mod review;
mod terms;

pub use check::Policy;
pub use decide::{Decision, Enrollment, Explanation, Facts, Rule, explain};
pub use document::{BackupCodesPolicy, NetworkPolicy, PolicyDocument, RecoveryCodePolicy, RequirePolicy, SmsPolicy, TotpPolicy};
pub use review::{ApiClient, BlockedApiClient, People, Person, Review, review};
pub use terms::{Channel, Method, Reason, Role};
