//! Call-outs: the gate has no network, so it describes the HTTP request that it needs, the shell makes
//! it, and the response comes back as bytes.

use crate::secret_text::SecretText;

/// An HTTP request for the shell to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallOut {
    /// The cluster of Envoy that it goes to.
    pub cluster: String,
    /// Headers, `:method`, `:path` and `:authority` among them.
    pub headers: Vec<(&'static str, SecretText)>,
    /// The body, JSON.
    pub body: Option<String>,
    /// Milliseconds until the call-out is given up.
    pub timeout_ms: u32,
}

/// The response to a call-out, or its absence.
#[derive(Debug, Clone, Copy)]
pub struct CallOutResponse<'a> {
    /// `:status`, if there was one.
    pub status: Option<&'a [u8]>,
    /// The body, if there was one.
    pub body: Option<&'a [u8]>,
}

impl<'a> CallOutResponse<'a> {
    /// The status for the log: `status_503`, or `no_answer`.
    #[must_use]
    pub fn shown(&self) -> String {
        self.status.map_or_else(|| "no_answer".to_owned(), |status| format!("status_{}", String::from_utf8_lossy(status)))
    }

    /// The body as text, if the status is the expected one and the body is no longer than allowed.
    pub(super) fn text(&self, status: u16, longest: usize) -> Option<&'a str> {
        let body = self.body.filter(|body| body.len() <= longest && self.has(status))?;
        core::str::from_utf8(body).ok()
    }

    pub(super) fn has(&self, status: u16) -> bool {
        self.status == Some(status.to_string().as_bytes())
    }
}
