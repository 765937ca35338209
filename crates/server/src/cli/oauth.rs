//! `kleis oauth`: manages clients through the admin API of a running server.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::api::{Api, ApiArguments};
use super::client_fields::{self, Fields};
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
    "jwks_uri",
    "access_token_strategy",
    "subject_type",
    "sector_identifier_uri",
    "request_uris",
    "request_object_signing_alg",
    "skip_consent",
    "skip_logout_consent",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
    "frontchannel_logout_uri",
    "frontchannel_logout_session_required",
    "allowed_cors_origins",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "contacts",
    "owner",
    "metadata",
    "created_at",
    "updated_at",
];

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// OAuth 2.0 clients: create, list, get, update, delete
    #[command(subcommand, visible_alias = "clients")]
    Client(ClientCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum ClientCommand {
    /// Register a client; its secret is shown once
    #[command(after_help = "\
Examples:
  A web application that signs users in:
    kleis oauth client create --name \"My app\" --redirect-uri https://app.example.org/callback \\
      --grant-type authorization_code,refresh_token --scope openid,offline_access,email

  A program that acts for itself:
    kleis oauth client create --name Nightly --grant-type client_credentials --scope reports.read")]
    Create {
        /// The client id; generated when omitted
        #[arg(long = "id", value_name = "ID")]
        client_id: Option<String>,
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
        /// Token of the next page, as printed below the last one
        #[arg(long)]
        page_token: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Show one client
    Get {
        /// The id, as shown by kleis oauth client list
        id: String,
        #[command(flatten)]
        common: Common,
    },
    /// Update a client; omitted fields keep their values
    #[command(after_help = "\
With --file, the file replaces the client; without, only the members of the flags change.

Example:
  kleis oauth client update 03f0bdad-8b30-46ff-96b9-599cf259ec8c --redirect-uri https://app.example.org/callback")]
    Update {
        /// The id, as shown by kleis oauth client list
        id: String,
        #[command(flatten)]
        fields: Box<Fields>,
        #[command(flatten)]
        common: Common,
    },
    /// Delete clients and all of their grants
    Delete {
        /// The ids, as shown by kleis oauth client list
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Debug, Args)]
#[command(mut_arg("endpoint", |it| it.help("The admin API; HYDRA_ADMIN_URL or http://127.0.0.1:4445 when omitted")))]
pub(super) struct Common {
    #[command(flatten)]
    api: ApiArguments,
    #[arg(long, value_enum, default_value_t, help = "Output format")]
    format: Format,
}

impl Common {
    fn api(&self) -> anyhow::Result<Api> {
        Api::new(&self.api, "HYDRA_ADMIN_URL", "http://127.0.0.1:4445")
    }
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Client(command) = command;
    match command {
        ClientCommand::Create { client_id, fields, common } => {
            let mut body = fields.whole()?;
            if let (Some(id), Some(members)) = (client_id, body.as_object_mut()) {
                members.insert("client_id".to_owned(), id.into());
            }
            let answer = common.api()?.send(Method::POST, &["admin", "clients"], &[], Some(&body)).await?;
            output::one(common.format, DETAILS, &answer.body)?;
            if common.format == Format::Table && answer.body.get("client_secret").is_some() {
                eprintln!("save the secret: it is not shown again");
            }
            warn_of(&answer.body);
        }
        ClientCommand::List { page_size, page_token, common } => {
            let mut query = vec![("page_size", page_size.to_string())];
            query.extend(page_token.map(|token| ("page_token", token)));
            let answer = common.api()?.get(&["admin", "clients"], &query).await?;
            let clients = answer.body.as_array().map(Vec::as_slice).unwrap_or_default();
            output::rows(common.format, COLUMNS, clients)?;
            if let Some(token) = answer.next {
                eprintln!("next page: --page-token {token}");
            }
        }
        ClientCommand::Get { id, common } => {
            let answer = common.api()?.get(&["admin", "clients", &id], &[]).await?;
            output::one(common.format, DETAILS, &answer.body)?;
        }
        ClientCommand::Update { id, fields, common } => {
            let answer = update(&common.api()?, &id, &fields).await?;
            output::one(common.format, DETAILS, &answer)?;
            warn_of(&answer);
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

fn warn_of(client: &Value) {
    if let Some(warning) = client_fields::warning(client) {
        eprintln!("{warning}");
    }
}

/// With a file the client is replaced; without one, only the members of the flags change (RFC 6902).
async fn update(api: &Api, id: &str, fields: &Fields) -> anyhow::Result<Value> {
    let path = ["admin", "clients", id];
    let answer = if fields.file.is_some() {
        api.send(Method::PUT, &path, &[], Some(&fields.whole()?)).await?
    } else {
        let changes: Vec<Value> = fields
            .named()?
            .into_iter()
            .map(|(name, value)| json!({ "op": "add", "path": format!("/{name}"), "value": value }))
            .collect();
        anyhow::ensure!(!changes.is_empty(), "name at least one flag with what to change");
        api.send(Method::PATCH, &path, &[], Some(&Value::from(changes))).await?
    };
    Ok(answer.body)
}
