//! The message of `serve` when it is ready: the URLs of the account pages, the mailbox and the APIs, and the files that were
//! used. A terminal gets a block of lines, programs get the same fields in one log record. Neither contains a secret.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;
use telemetry::{LogConfig, LogFormat, LogLevel};
use url::Url;

use crate::Running;
use crate::config::{Config, Service};

/// The facts that are known before the start.
pub(super) struct Given {
    files: Vec<PathBuf>,
    log: LogConfig,
    /// Mail that is sent is not in the mailbox, so the mailbox is off.
    sends_mail: bool,
}

impl Given {
    pub(super) fn new(config: &Config, files: Vec<PathBuf>) -> Self {
        let text = |key| config.value(Service::IDENTITY, key).and_then(Value::as_str);
        let has_mail_server = text("courier.smtp.connection_uri").is_some_and(|uri| !uri.is_empty());
        Self {
            files,
            log: config.shared.log.clone(),
            sends_mail: has_mail_server || text("courier.delivery_strategy") == Some("http"),
        }
    }

    /// Prints or logs the URLs.
    pub(super) fn announce(&self, running: &Running, failed: &BTreeMap<String, String>) {
        let urls = StartUrls::new(self, running);
        if self.log.format == LogFormat::Text {
            if matches!(self.log.level, LogLevel::Info | LogLevel::Debug | LogLevel::Trace) {
                eprint!("{}", urls.block(failed));
            }
            return;
        }
        tracing::info!(
            account = urls.account,
            mailbox = urls.mailbox,
            identity_admin_api = urls.identity_admin,
            oauth_admin_api = urls.oauth_admin,
            permissions_read_api = urls.permissions_read,
            permissions_write_api = urls.permissions_write,
            discovery = urls.discovery,
            gateway = urls.gateway,
            configuration = urls.configuration,
            data_directory = urls.data_directory,
            "urls"
        );
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct StartUrls {
    account: Option<String>,
    mailbox: Option<String>,
    identity_admin: Option<String>,
    oauth_admin: Option<String>,
    permissions_read: Option<String>,
    permissions_write: Option<String>,
    discovery: Option<String>,
    gateway: Option<String>,
    configuration: String,
    data_directory: Option<String>,
}

impl StartUrls {
    fn new(given: &Given, running: &Running) -> Self {
        let at = |service, listener, path| below(running.addresses.base_url(service, listener)?, path);
        let files: Vec<String> = given.files.iter().map(|file| file.display().to_string()).collect();
        Self {
            account: at(Service::IDENTITY, "public", ""),
            mailbox: at(Service::IDENTITY, "admin", "mailbox").filter(|_| !given.sends_mail),
            identity_admin: at(Service::IDENTITY, "admin", ""),
            oauth_admin: at(Service::OAUTH, "admin", ""),
            permissions_read: at(Service::PERMISSIONS, "read", ""),
            permissions_write: at(Service::PERMISSIONS, "write", ""),
            discovery: at(Service::OAUTH, "public", ".well-known/openid-configuration"),
            gateway: at(Service::GATEWAY, "proxy", ""),
            configuration: if files.is_empty() {
                "no file: defaults and environment".to_owned()
            } else {
                files.join(", ")
            },
            data_directory: running.data_dir.as_ref().map(|path| path.display().to_string()),
        }
    }

    /// One line for each URL, after the failed checks.
    fn block(&self, failed: &BTreeMap<String, String>) -> String {
        let lines = [
            ("Account pages", self.account.as_deref(), "sign in, sign up, settings"),
            ("Mailbox", self.mailbox.as_deref(), "mail is kept here, because no mail server is configured"),
            ("Admin API", self.identity_admin.as_deref(), "identities, sessions"),
            ("Admin API", self.oauth_admin.as_deref(), "clients, consents, keys"),
            ("Permissions", self.permissions_read.as_deref(), "checks and lists of relation tuples"),
            ("Permissions", self.permissions_write.as_deref(), "changes of relation tuples"),
            ("Discovery", self.discovery.as_deref(), "what OAuth and OpenID clients need to know"),
            ("Gateway", self.gateway.as_deref(), "the applications behind it"),
            ("Configuration", Some(self.configuration.as_str()), ""),
            ("Data", self.data_directory.as_deref(), "the database file and the generated secrets"),
        ];
        let lines: Vec<_> = lines.into_iter().filter_map(|(label, place, what)| Some((label, place?, what))).collect();
        let width = lines.iter().map(|(_, place, _)| place.chars().count()).max().unwrap_or(0).min(60);
        let mut block = if failed.is_empty() {
            String::from("\nKleis is ready.\n\n")
        } else {
            let mut text = String::from("\nKleis is running, and not ready:\n\n");
            for (check, reason) in failed {
                // The lines of a reason stay below its check.
                let _ = writeln!(text, "  {check}: {}", reason.trim_end().replace('\n', "\n    "));
            }
            text + "\n"
        };
        for (label, place, what) in lines {
            // Writing to a String cannot fail.
            let _ = writeln!(block, "{}", format!("  {label:<15}{place:<width$}   {what}").trim_end());
        }
        block.push_str("\nPress Ctrl-C to stop.\n\n");
        block
    }
}

/// The URL of `path` below `base`, without user name and password.
fn below(base: &str, path: &str) -> Option<String> {
    let mut url = Url::parse(base).ok()?;
    // A URL that cannot have them has none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_lists_what_runs_and_leaves_the_rest_out() {
        let urls = StartUrls {
            account: Some("http://localhost:4433/".into()),
            mailbox: Some("http://localhost:4434/mailbox".into()),
            identity_admin: Some("http://localhost:4434/".into()),
            configuration: "kleis.yml".into(),
            ..StartUrls::default()
        };
        let expected = "
Kleis is ready.

  Account pages  http://localhost:4433/          sign in, sign up, settings
  Mailbox        http://localhost:4434/mailbox   mail is kept here, because no mail server is configured
  Admin API      http://localhost:4434/          identities, sessions
  Configuration  kleis.yml

Press Ctrl-C to stop.

";
        assert_eq!(urls.block(&BTreeMap::new()), expected);
        let reason = "model.ts: it declares no namespace\nsecond line\n";
        let failed = BTreeMap::from([("model_loaded".to_owned(), reason.to_owned())]);
        let begin = "
Kleis is running, and not ready:

  model_loaded: model.ts: it declares no namespace
    second line

  Account pages  http://localhost:4433/";
        assert!(urls.block(&failed).starts_with(begin), "{}", urls.block(&failed));
    }

    #[test]
    fn a_password_in_a_url_is_not_shown() {
        assert_eq!(below("https://a:b@id.example/auth", "mailbox").as_deref(), Some("https://id.example/auth/mailbox"));
        assert_eq!(below("http://localhost:4433/", "").as_deref(), Some("http://localhost:4433/"));
        assert_eq!(below("no url", ""), None);
    }
}
