//! The account's rules: how they are written, how a login is decided by them, and which users a
//! change would lock out.
//!
//! The plan decides about enrollment and nothing else: when it lapses, users keep their second factor
//! and must still show it.

mod change;
mod check;
mod decide;
mod document;
mod of_all;
mod review;
mod rule_document;
mod rules;
mod terms;

pub use change::{Setting, SettingChange};
pub use check::Policy;
pub use decide::{Decision, Enrollment, Explanation, Facts, Rule, explain};
pub use document::{BackupCodesPolicy, FirstFactor, PolicyDocument, RecoveryCodePolicy, SmsPolicy, TotpPolicy, TrustedBrowserPolicy};
pub use review::{ApiClient, Author, BlockedApiClient, ForgottenFamily, People, Person, Review, Reviewer, review};
pub use rule_document::{NetworkEntry, NetworkPolicy, NetworkRule, RequirePolicy, RequireRules, RequireWord};
pub use terms::{Channel, Method, Reason, Role, Roles};
