//! `kleis oauth`: clients, through the admin API of a running server.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Map, Value, json};

use super::api::{Api, ApiArguments};
use super::output::{self, Format};

const COLUMNS: &[&str] = &["client_id", "client_name", "grant_types", "scope", "redirect_uris"];
const DETAILS: &[&str] = &[
    "client_id",
    "client_secret",
    "client_name",
    "grant_types",
    "response_types",
    "scope",
    "audience",
    "redirect_uris",
    "post_logout_redirect_uris",
    "token_endpoint_auth_method",
    "skip_consent",
    "created_at",
    "updated_at",
];

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Programs that may ask for tokens: create, list, get, update, delete
    #[command(subcommand, visible_alias = "clients")]
    Client(ClientCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum ClientCommand {
    /// Register a client; its secret is shown once
    #[command(after_help = "\
Examples:
  A web application that signs people in:
    kleis oauth client create --name \"My app\" --redirect-uri https://app.example.org/callback \\
      --grant-type authorization_code,refresh_token --scope openid,offline_access,email

  A program that acts for itself:
    kleis oauth client create --name Nightly --grant-type client_credentials --scope reports.read")]
    Create {
        #[command(flatten)]
        fields: Box<Fields>,
        #[command(flatten)]
        common: Common,
    },
    /// List clients, a page at a time
    List {
        /// Clients on a page
        #[arg(long, default_value_t = 50)]
        page_size: u32,
        /// Where to go on, as the last page said
        #[arg(long)]
        page_token: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Show one client
    Get {
        /// As kleis oauth client list shows it
        id: String,
        #[command(flatten)]
        common: Common,
    },
    /// Change what is named; the rest stays
    #[command(after_help = "\
With --file the client is replaced by what it holds; without, only what flags name is changed.

Example:
  kleis oauth client update 03f0bdad-8b30-46ff-96b9-599cf259ec8c --redirect-uri https://app.example.org/callback")]
    Update {
        /// As kleis oauth client list shows it
        id: String,
        #[command(flatten)]
        fields: Box<Fields>,
        #[command(flatten)]
        common: Common,
    },
    /// Delete clients, with everything that was granted to them
    Delete {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Debug, Args)]
pub(super) struct Common {
    #[command(flatten)]
    api: ApiArguments,
    #[arg(long, value_enum, default_value_t, help = "How to show it: a table for people, JSON for programs")]
    format: Format,
}

impl Common {
    fn api(&self) -> anyhow::Result<Api> {
        Api::new(&self.api, "HYDRA_ADMIN_URL", "http://127.0.0.1:4445")
    }
}

/// What a client is made of. Lists take several values, separated by commas or by naming the flag again.
#[derive(Debug, Default, Args)]
pub(super) struct Fields {
    /// The whole client as JSON; flags are laid over it
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The client id; a new one when left out
    #[arg(long = "id")]
    client_id: Option<String>,
    /// The name that people see when they are asked for consent
    #[arg(long)]
    name: Option<String>,
    /// The secret; a new one when left out
    #[arg(long)]
    secret: Option<String>,
    /// Where codes may be sent
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    redirect_uri: Vec<String>,
    /// Where people may be sent after log-out
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    post_logout_callback: Vec<String>,
    #[arg(
        long,
        value_name = "GRANT",
        value_delimiter = ',',
        help = "authorization_code, refresh_token, client_credentials, ..."
    )]
    grant_type: Vec<String>,
    /// code, ...
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    response_type: Vec<String>,
    /// What the client may ask for
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    scope: Vec<String>,
    /// Who its tokens may be for
    #[arg(long, value_delimiter = ',')]
    audience: Vec<String>,
    #[arg(long, value_name = "METHOD", help = "client_secret_basic, client_secret_post, private_key_jwt or none")]
    token_endpoint_auth_method: Option<String>,
    /// Do not ask people for consent: for applications of your own
    #[arg(long)]
    skip_consent: bool,
}

impl Fields {
    /// The members that flags name.
    fn named(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut text = |name: &str, value: Option<&String>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), value.as_str().into());
            }
        };
        text("client_id", self.client_id.as_ref());
        text("client_name", self.name.as_ref());
        text("client_secret", self.secret.as_ref());
        text("token_endpoint_auth_method", self.token_endpoint_auth_method.as_ref());
        // RFC 7591 section 2: scopes are one string, separated by spaces.
        text("scope", Some(&self.scope.join(" ")).filter(|scope| !scope.is_empty()));
        for (name, values) in [
            ("redirect_uris", &self.redirect_uri),
            ("post_logout_redirect_uris", &self.post_logout_callback),
            ("grant_types", &self.grant_type),
            ("response_types", &self.response_type),
            ("audience", &self.audience),
        ] {
            if !values.is_empty() {
                members.insert(name.to_owned(), values.as_slice().into());
            }
        }
        if self.skip_consent {
            members.insert("skip_consent".to_owned(), true.into());
        }
        members
    }

    fn whole(&self) -> anyhow::Result<Value> {
        let mut client = match &self.file {
            Some(file) => super::identity::read(file)?,
            None => json!({}),
        };
        if let Some(object) = client.as_object_mut() {
            object.extend(self.named());
        }
        Ok(client)
    }
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Client(command) = command;
    match command {
        ClientCommand::Create { fields, common } => {
            let body = fields.whole()?;
            let answer = common.api()?.send(Method::POST, &["admin", "clients"], &[], Some(&body)).await?;
            output::one(common.format, DETAILS, &answer.body)?;
            if common.format == Format::Table && answer.body.get("client_secret").is_some() {
                eprintln!("keep the secret: it is not shown again");
            }
        }
        ClientCommand::List { page_size, page_token, common } => {
            let mut query = vec![("page_size", page_size.to_string())];
            query.extend(page_token.map(|token| ("page_token", token)));
            let answer = common.api()?.get(&["admin", "clients"], &query).await?;
            let clients = answer.body.as_array().map(Vec::as_slice).unwrap_or_default();
            output::rows(common.format, COLUMNS, clients)?;
            if let Some(token) = answer.next {
                eprintln!("there are more: --page-token {token}");
            }
        }
        ClientCommand::Get { id, common } => {
            let answer = common.api()?.get(&["admin", "clients", &id], &[]).await?;
            output::one(common.format, DETAILS, &answer.body)?;
        }
        ClientCommand::Update { id, fields, common } => {
            let answer = update(&common.api()?, &id, &fields).await?;
            output::one(common.format, DETAILS, &answer)?;
        }
        ClientCommand::Delete { ids, common } => {
            let api = common.api()?;
            for id in &ids {
                api.send(Method::DELETE, &["admin", "clients", id], &[], None).await?;
                eprintln!("deleted {id}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// With a file the client is replaced by it; without, only what flags name is changed (RFC 6902).
async fn update(api: &Api, id: &str, fields: &Fields) -> anyhow::Result<Value> {
    let path = ["admin", "clients", id];
    let answer = if fields.file.is_some() {
        api.send(Method::PUT, &path, &[], Some(&fields.whole()?)).await?
    } else {
        let changes: Vec<Value> = fields
            .named()
            .into_iter()
            .map(|(name, value)| json!({ "op": "replace", "path": format!("/{name}"), "value": value }))
            .collect();
        anyhow::ensure!(!changes.is_empty(), "name at least one flag with what to change");
        api.send(Method::PATCH, &path, &[], Some(&Value::from(changes))).await?
    };
    Ok(answer.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_is_sent() {
        let fields = Fields {
            name: Some("App".to_owned()),
            scope: vec!["openid".to_owned(), "email".to_owned()],
            redirect_uri: vec!["https://a/cb".to_owned()],
            ..Fields::default()
        };
        let wanted = json!({"client_name": "App", "scope": "openid email", "redirect_uris": ["https://a/cb"]});
        assert_eq!(Value::Object(fields.named()), wanted);
        assert_eq!(Value::Object(Fields::default().named()), json!({}));
    }
}
