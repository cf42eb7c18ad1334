//! The challenge page, to which a browser is sent for the second factor, and the way back.
//!
//! The page is a path of this site, which must then be exempt, or a page of another origin, which must
//! then be told the origin to come back to. It is told why the browser comes: a page that sends everyone back who
//! is logged in would otherwise send them to and fro for ever.

use core::fmt::Write as _;

use serde::Deserialize;

use crate::encoding::percent_encode;
use crate::error::Error;
use crate::origin::origin_host;

use super::check::check;
use super::exempt_paths::{Path, Paths};

/// The page as configured.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ChallengeDocument {
    page: String,
    #[serde(default)]
    return_to: Option<String>,
}

/// The page on which people confirm their second factor.
#[derive(Debug, Clone)]
pub(super) struct ChallengePage {
    page: String,
    /// The origin to come back to; empty where the page is on this site.
    return_to: String,
}

impl ChallengePage {
    pub(super) fn parse(document: ChallengeDocument, exempt: &Paths) -> Result<Self, Error> {
        let ChallengeDocument { page, return_to } = document;
        if let Some(origin) = &return_to {
            check(origin_host(origin).is_some(), "challenge.returnTo", "must be https://host[:port] without a path")?;
        }
        if page.starts_with('/') {
            check(
                exempt.contain(&Path::new(page.as_bytes())),
                "challenge.page",
                "must be among the `exempt` paths: a page behind the gate would send people to itself for ever",
            )?;
        } else {
            let path = page.splitn(4, '/').nth(3).unwrap_or_default();
            let origin = page.strip_suffix(path).map(|origin| origin.trim_end_matches('/'));
            let fits = origin.and_then(origin_host).is_some() && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b));
            check(fits, "challenge.page", "must be a path like /login, or https://host[:port]/path")?;
            check(return_to.is_some(), "challenge.returnTo", "is needed where the page is on another origin: the origin to come back to")?;
        }
        Ok(Self { page, return_to: return_to.unwrap_or_default() })
    }

    /// The page with the place to come back to, the reason, and the greatest age of a pass there if it is
    /// limited, as `location`.
    pub(super) fn location(&self, return_target: &str, reason: &str, max_age: Option<u32>) -> String {
        let mut location = format!("{}?next=", self.page);
        percent_encode(&mut location, &self.return_to);
        percent_encode(&mut location, return_target);
        let _ = write!(location, "&reason={reason}");
        if let Some(age) = max_age {
            let _ = write!(location, "&max_age={age}");
        }
        location
    }
}
