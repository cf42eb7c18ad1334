//! The account's rules: how they are written, how a login is decided by them, and which users a
//! change would lock out.
//!
//! The plan gates enrollment and nothing else: a plan that lapses drops nobody's second factor, and
//! opens no login that was forced to show one.

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
