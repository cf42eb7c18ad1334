//! Stricter routes: the greatest age of a pass on a path, and its accepted methods. `trustedBrowser: false` refuses those of trusted
//! browsers, and so does every greatest age.
//!
//! A route tightens, so it matches generously: without regard to case or to the rest of a segment after
//! the word (`/admin.json`), and it matches every path that is not plain. All routes that match a path
//! hold together, so one more route never loosens anything.

use serde::Deserialize;

use crate::error::Error;
use crate::policy::Method;

use super::check::{check, wrong};
use super::exempt_paths::{Path, check_plain, check_prefix};

/// A route as written in configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RouteDocument {
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    prefix: Option<String>,
    #[serde(default)]
    max_age: Option<u32>,
    #[serde(default)]
    methods: Option<Vec<Method>>,
    #[serde(default)]
    trusted_browser: Option<bool>,
}

/// The stricter routes.
#[derive(Debug, Clone)]
pub(super) struct Routes(Vec<Route>);

#[derive(Debug, Clone)]
struct Route {
    place: Place,
    limits: Limits,
}

#[derive(Debug, Clone)]
enum Place {
    Exact(String),
    Below(String),
}

/// The greatest age of a pass, and its accepted methods.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits {
    pub(super) max_age: Option<u32>,
    methods: Option<Vec<Method>>,
    no_trusted_browser: bool,
}

impl Limits {
    /// Whether no route asks for a pass.
    pub(super) const fn are_none(&self) -> bool {
        self.max_age.is_none() && self.methods.is_none() && !self.no_trusted_browser
    }

    pub(super) fn accept(&self, method: Method) -> bool {
        let is_listed = self.methods.as_ref().is_none_or(|methods| methods.contains(&method));
        is_listed && !(self.no_trusted_browser && method == Method::TrustedBrowser)
    }

    fn tighten(&mut self, other: &Self) {
        self.max_age = match (self.max_age, other.max_age) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        self.no_trusted_browser |= other.no_trusted_browser;
        if let Some(more) = &other.methods {
            match &mut self.methods {
                Some(methods) => methods.retain(|method| more.contains(method)),
                None => self.methods = Some(more.clone()),
            }
        }
    }
}

impl Routes {
    pub(super) fn parse(documents: Vec<RouteDocument>) -> Result<Self, Error> {
        let mut routes = Vec::new();
        for (index, document) in documents.into_iter().enumerate() {
            let at = format!("routes[{index}]");
            let place = match (document.path, document.prefix) {
                (Some(path), None) => {
                    check_plain(&path, &format!("{at}.path"))?;
                    Place::Exact(path)
                }
                (None, Some(prefix)) => {
                    check_prefix(&prefix, &format!("{at}.prefix"))?;
                    Place::Below(prefix)
                }
                (Some(_), Some(_)) | (None, None) => return Err(wrong(&at, "give either `path` or `prefix`")),
            };
            check(
                document.trusted_browser != Some(true),
                &format!("{at}.trustedBrowser"),
                "must be false: a route only tightens; set `trustedBrowser` in `policy`, and refuse them here",
            )?;
            let no_trusted_browser = document.trusted_browser.is_some();
            let limits = Limits { max_age: document.max_age, methods: document.methods, no_trusted_browser };
            check(!limits.are_none(), &at, "give `maxAge`, `methods` or `trustedBrowser`: a route without them changes nothing")?;
            let age_fits = limits.max_age.is_none_or(|age| (10..=2_592_000).contains(&age));
            check(age_fits, &format!("{at}.maxAge"), "must be 10 to 2592000 seconds")?;
            let names_methods = limits.methods.as_ref().is_none_or(|methods| !methods.is_empty());
            check(names_methods, &format!("{at}.methods"), "name at least one method")?;
            routes.push(Route { place, limits });
        }
        Ok(Self(routes))
    }

    /// The limits of all routes that might match the path.
    pub(super) fn limits(&self, path: &Path<'_>) -> Limits {
        let mut limits = Limits::default();
        for route in &self.0 {
            if path.plain.is_none_or(|path| route.place.may_hold(path)) {
                limits.tighten(&route.limits);
            }
        }
        limits
    }
}

impl Place {
    fn may_hold(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => segments(path).count() == segments(exact).count() && may_begin(path, exact),
            Self::Below(prefix) => segments(path).count() >= segments(prefix).count() && may_begin(path, prefix),
        }
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// Whether a service might take each segment of the path for the one of the place. Some take `Pay`,
/// `pay.`, `pay:x` or, as a format of it, `pay.json` for `pay`.
fn may_begin(path: &str, place: &str) -> bool {
    segments(path).zip(segments(place)).all(|(given, segment)| {
        given
            .split_at_checked(segment.len())
            .is_some_and(|(start, rest)| start.eq_ignore_ascii_case(segment) && !rest.starts_with(is_of_a_word))
    })
}

/// Whether a segment that goes on with this character is another word: `payroll`, `pay-in`.
const fn is_of_a_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use crate::json::from_json;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Written {
        routes: Vec<RouteDocument>,
    }

    #[test]
    fn t27_a_path_that_can_be_read_in_two_ways_meets_every_route() {
        let routes = r#"[{"prefix":"/admin/","maxAge":300},{"path":"/pay","methods":["totp","sms"]},{"path":"/pay","methods":["sms","backup_code"]}]"#;
        let routes: Written = from_json(&format!("{{\"routes\":{routes}}}"), ErrorCode::InvalidConfig).unwrap();
        let routes = Routes::parse(routes.routes).unwrap();
        let age = |path: &str| routes.limits(&Path::new(path.as_bytes())).max_age;
        for strict in
            ["/admin/", "/admin", "/ADMIN/x", "/Admin", "/%61dmin/", "/x;/admin", "/a//b", "/..", "/admin.json", "/Admin./x", "/admin.d/x"]
        {
            assert_eq!(age(strict), Some(300), "{strict}");
        }
        for other in ["/", "/administrator", "/x/admin/", "/pay", "/admi", "/admin-x.json", "/.admin/"] {
            assert_eq!(age(other), None, "{other}");
        }
        for path in [&b"/PAY/"[..], b"/pay", b"/pay.json", b"/pay./"] {
            let pay = routes.limits(&Path::new(path));
            assert!(pay.accept(Method::Sms) && !pay.accept(Method::Totp) && !pay.accept(Method::BackupCode), "{}", path.escape_ascii());
        }
        for other in [&b"/pay/x"[..], b"/pays", b"/pay.json/x", b"/"] {
            assert!(routes.limits(&Path::new(other)).accept(Method::Totp), "{}", other.escape_ascii());
        }
    }
}
