//! `kleis identity`: manages identities through the admin API of a running server.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::api::{Api, ApiArguments};
use super::output::{self, Format};

const COLUMNS: &[&str] = &["id", "state", "schema_id", "traits", "created_at"];

const DETAILS: &[&str] = &["id", "state", "schema_id", "traits", "verifiable_addresses", "created_at"];

const IMPORT_HELP: &str = "\
An identity is a JSON object that POST /admin/identities accepts, for instance:
  {\"traits\": {\"email\": \"ada@example.org\"}, \"credentials\": {\"password\": {\"config\": {\"hashed_password\": \"$argon2id$...\"}}}}

If a file cannot be read, nothing is created. The command lists each rejected identity and creates
the others. The exit code is 1 if an identity was rejected.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List identities, a page at a time
    List(ListArguments),
    /// Show one identity
    Get {
        /// The id, as shown by kleis identity list
        id: String,
        #[command(flatten)]
        common: Common,
    },
    /// Create an identity
    Create(CreateArguments),
    /// Import identities from JSON files
    #[command(after_help = IMPORT_HELP)]
    Import {
        /// Files with one identity or an array of identities each; - is standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        common: Common,
    },
    /// Delete identities and all of their data
    Delete {
        /// The ids, as shown by kleis identity list
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Debug, Args)]
#[command(mut_arg("endpoint", |it| it.help("The admin API; KRATOS_ADMIN_URL or http://127.0.0.1:4434 when omitted")))]
pub(super) struct Common {
    #[command(flatten)]
    api: ApiArguments,
    #[arg(long, value_enum, default_value_t, help = "Output format")]
    format: Format,
}

impl Common {
    fn api(&self) -> anyhow::Result<Api> {
        Api::new(&self.api, "KRATOS_ADMIN_URL", "http://127.0.0.1:4434")
    }
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// Identities on a page
    #[arg(long, default_value_t = 50)]
    page_size: u32,
    /// Token of the next page, as printed below the last one
    #[arg(long)]
    page_token: Option<String>,
    /// Only the identity with this identifier, for instance an email address
    #[arg(long)]
    identifier: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("who").args(["email", "traits"]).required(true), after_help = "\
Examples:
  kleis identity create --email ada@example.org --verified --password-stdin < password.txt
  kleis identity create --schema customer --traits '{\"email\": \"ada@example.org\"}'")]
pub(super) struct CreateArguments {
    /// The identity schema; the server's default when omitted
    #[arg(long)]
    schema: Option<String>,
    /// The traits as JSON
    #[arg(long, value_name = "JSON", conflicts_with = "email")]
    traits: Option<String>,
    /// The email address, for schemas that have an email trait
    #[arg(long)]
    email: Option<String>,
    /// Mark the addresses among the traits as verified: no mail is sent, and no confirmation is needed
    #[arg(long)]
    verified: bool,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    common: Common,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(arguments) => list(arguments).await?,
        Command::Get { id, common } => {
            let answer = common.api()?.get(&["admin", "identities", &id], &[]).await?;
            show(common.format, &answer.body)?;
        }
        Command::Create(arguments) => create(arguments).await?,
        Command::Import { files, common } => return import(&files, &common).await,
        Command::Delete { ids, common } => {
            let api = common.api()?;
            for id in &ids {
                api.send(Method::DELETE, &["admin", "identities", id], &[], None).await?;
                eprintln!("deleted {id}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: ListArguments) -> anyhow::Result<()> {
    let mut query = vec![("page_size", arguments.page_size.to_string())];
    query.extend(arguments.page_token.map(|token| ("page_token", token)));
    query.extend(arguments.identifier.map(|identifier| ("credentials_identifier", identifier)));
    let answer = arguments.common.api()?.get(&["admin", "identities"], &query).await?;
    let identities = answer.body.as_array().map(Vec::as_slice).unwrap_or_default();
    output::rows(arguments.common.format, COLUMNS, identities)?;
    if let Some(token) = answer.next {
        eprintln!("next page: --page-token {token}");
    }
    Ok(())
}

async fn create(arguments: CreateArguments) -> anyhow::Result<()> {
    let traits = match (&arguments.traits, &arguments.email) {
        (Some(text), _) => serde_json::from_str(text).context("--traits is not JSON")?,
        (None, email) => json!({ "email": email }),
    };
    // An empty schema id asks for the server's default.
    let mut body = json!({ "schema_id": arguments.schema.unwrap_or_default(), "traits": traits });
    if arguments.verified {
        body["verifiable_addresses"] = verified(&body["traits"]).into();
    }
    if arguments.password_stdin {
        let mut password = String::new();
        std::io::stdin().read_to_string(&mut password).context("the password cannot be read")?;
        let password = password.strip_suffix('\n').unwrap_or(&password);
        body["credentials"] = json!({ "password": { "config": { "password": password } } });
    }
    let answer = arguments.common.api()?.send(Method::POST, &["admin", "identities"], &[], Some(&body)).await?;
    show(arguments.common.format, &answer.body)?;
    if arguments.verified && answer.body.get("verifiable_addresses").is_none() {
        eprintln!("warning: no address was verified, because the identity schema marks none for verification");
    }
    Ok(())
}

/// One identity. The table shows for each address whether it is verified.
fn show(format: Format, identity: &Value) -> anyhow::Result<()> {
    let mut shown = identity.clone();
    if format == Format::Table
        && let Some(addresses) = shown.get_mut("verifiable_addresses").and_then(Value::as_array_mut)
    {
        for address in addresses {
            let state = if address["verified"] == true { "verified" } else { "not verified" };
            *address = format!("{} ({state})", address["value"].as_str().unwrap_or_default()).into();
        }
    }
    output::one(format, DETAILS, &shown)
}

/// Every text among the traits as a verified address. The server keeps those that the identity schema marks as addresses and
/// drops the others.
fn verified(traits: &Value) -> Vec<Value> {
    match traits {
        Value::String(text) => {
            ["email", "sms"].map(|via| json!({ "value": text, "via": via, "verified": true })).to_vec()
        }
        Value::Array(items) => items.iter().flat_map(verified).collect(),
        Value::Object(members) => members.values().flat_map(verified).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Continues after a rejected identity and reports the number of them at the end.
async fn import(files: &[PathBuf], common: &Common) -> anyhow::Result<ExitCode> {
    let api = common.api()?;
    let (mut created, mut refused) = (Vec::new(), 0_usize);
    // Read all files first, so that an unreadable file does not stop an import in the middle.
    let read: Vec<(&PathBuf, Vec<Value>)> =
        files.iter().map(|file| Ok((file, identities_in(file)?))).collect::<anyhow::Result<_>>()?;
    for (file, identities) in read {
        for (index, identity) in identities.iter().enumerate() {
            match api.send(Method::POST, &["admin", "identities"], &[], Some(identity)).await {
                Ok(answer) => created.push(answer.body),
                Err(error) => {
                    refused += 1;
                    eprintln!("{} [{index}]: {error}", file.display());
                }
            }
        }
    }
    output::rows(common.format, COLUMNS, &created)?;
    eprintln!("{} created, {refused} rejected", created.len());
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn identities_in(file: &Path) -> anyhow::Result<Vec<Value>> {
    match read(file)? {
        Value::Array(identities) => Ok(identities),
        identity @ Value::Object(_) => Ok(vec![identity]),
        _ => bail!("{} contains neither an identity nor an array of identities", file.display()),
    }
}

pub(super) fn read(file: &Path) -> anyhow::Result<Value> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    }
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))
}
