//! Backup codes on paper: a text to download and a page to print.

/// A set of backup codes, with the service and the user they belong to.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    /// The service's name.
    pub name: &'a str,
    /// The user, as they know themselves: an e-mail address.
    pub user: &'a str,
    /// The codes, grouped for reading.
    pub codes: &'a [String],
}

impl Sheet<'_> {
    /// Plain text, one code a line.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self { name, user, codes } = self;
        let name = one_line(name);
        let user = one_line(user);
        let list: String = codes.iter().map(|code| format!("  {}\n", one_line(code))).collect();
        format!(
            "Backup codes for {name}\n{user}\n\n{list}\nEach code works once. Keep them as safe as a password, and away from your phone.\nNew codes make these invalid.\n"
        )
    }

    /// A whole HTML page, without scripts or anything external.
    #[must_use]
    pub fn to_html(&self) -> String {
        let Self { name, user, codes } = self;
        let name = escape(name);
        let user = escape(user);
        let list: String = codes.iter().map(|code| format!("<li><code>{}</code></li>", escape(code))).collect();
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Backup codes for {name}</title>\
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}}ol{{columns:2;padding-left:2rem}}li{{break-inside:avoid;margin:.4rem 0}}code{{font:1.1rem ui-monospace,monospace;white-space:nowrap}}@media(max-width:30rem){{ol{{columns:1}}}}@media print{{body{{margin:0}}}}</style></head>\
<body><h1>Backup codes for {name}</h1><p>{user}</p><ol>{list}</ol><p>Each code works once. Keep them as safe as a password, and away from your phone. New codes make these invalid.</p></body></html>\n"
        )
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
