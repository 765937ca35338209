//! Limits on attempts, below every interface: by client address, by identifier, by both, and by tenant.
//!
//! An attempt is counted before it is judged and taken back when it was honest, so that many at once gain nothing. What
//! is counted for an identifier does not depend on whether anybody has it.

use std::time::Duration;

use base::{Context, PlainToken, TokenDigest};
use database::WriteTx;

use crate::Identity;
use crate::storage;

use super::error::FlowError;

/// How many attempts count within which time.
#[derive(Clone, Copy, Debug)]
struct Limit {
    kind: &'static str,
    attempts: i32,
    window: Duration,
}

const MINUTE: u64 = 60;

const SIGN_IN_FROM_ADDRESS_AS: Limit =
    Limit { kind: "sign_in/address_identifier", attempts: 10, window: Duration::from_secs(10 * MINUTE) };
const SIGN_IN_AS: Limit = Limit { kind: "sign_in/identifier", attempts: 100, window: Duration::from_secs(60 * MINUTE) };
const SIGN_IN_FROM_ADDRESS: Limit =
    Limit { kind: "sign_in/address", attempts: 200, window: Duration::from_secs(10 * MINUTE) };
const SIGN_IN_TO_TENANT: Limit =
    Limit { kind: "sign_in/tenant", attempts: 50_000, window: Duration::from_secs(10 * MINUTE) };
const GUESS_CODE_FROM_ADDRESS: Limit =
    Limit { kind: "code/address", attempts: 100, window: Duration::from_secs(10 * MINUTE) };
const TAKEN_FROM_ADDRESS: Limit =
    Limit { kind: "sign_up/taken", attempts: 30, window: Duration::from_secs(10 * MINUTE) };
const MAIL_TO: Limit = Limit { kind: "mail/recipient", attempts: 10, window: Duration::from_secs(15 * MINUTE) };
const MAIL_FROM_ADDRESS: Limit =
    Limit { kind: "mail/address", attempts: 100, window: Duration::from_secs(15 * MINUTE) };

/// Attempts that were counted, to be taken back when they were honest.
#[derive(Debug, Default)]
pub(crate) struct Counted(Vec<(&'static str, TokenDigest)>);

impl Counted {
    /// Takes the attempts back, in the transaction that makes them honest.
    pub(crate) async fn forgive(&self, tx: &mut WriteTx) -> Result<(), database::Error> {
        for (kind, subject) in &self.0 {
            storage::attempts::forgive(tx, kind, *subject).await?;
        }
        Ok(())
    }
}

impl Identity {
    /// Counts an attempt to sign in as `identifier`.
    pub(crate) async fn count_sign_in(&self, cx: &Context, identifier: &str) -> Result<Counted, FlowError> {
        // Every sign-in of a tenant would wait for this one row, so only failures are written to it.
        let limit = SIGN_IN_TO_TENANT;
        let mut tx = self.database.read(cx.tenant);
        let standing = storage::attempts::standing(&mut tx, limit.kind, subject(""), cx.now).await?;
        if let Some((_, until)) = standing.filter(|(count, _)| *count >= limit.attempts) {
            return Err(FlowError::TooManyAttempts { retry_after: until.since(cx.now) });
        }
        let address = client_address(cx);
        self.count(
            cx,
            &[
                (SIGN_IN_FROM_ADDRESS_AS, format!("{address} {identifier}")),
                (SIGN_IN_AS, identifier.to_owned()),
                (SIGN_IN_FROM_ADDRESS, address),
            ],
        )
        .await
    }

    /// Counts a sign-in that failed against the whole tenant.
    pub(crate) async fn count_failed_sign_in(&self, cx: &Context) -> Result<(), database::Error> {
        let limit = SIGN_IN_TO_TENANT;
        let mut tx = self.database.write(cx.tenant).await?;
        storage::attempts::count(&mut tx, limit.kind, subject(""), cx.now, cx.now.plus(limit.window)).await?;
        tx.commit().await
    }

    /// Counts a guess at a code, besides the count that the flow keeps.
    pub(crate) async fn count_code_guess(&self, cx: &Context) -> Result<Counted, FlowError> {
        self.count(cx, &[(GUESS_CODE_FROM_ADDRESS, client_address(cx))]).await
    }

    /// Counts an attempt to sign up with an identifier that is taken: asking for many is a way to find out who is here.
    pub(crate) async fn count_taken(&self, cx: &Context) -> Result<(), FlowError> {
        self.count(cx, &[(TAKEN_FROM_ADDRESS, client_address(cx))]).await.map(|_| ())
    }

    /// Counts a request for mail by this client.
    pub(crate) async fn count_mail_request(&self, cx: &Context) -> Result<(), FlowError> {
        self.count(cx, &[(MAIL_FROM_ADDRESS, client_address(cx))]).await.map(|_| ())
    }

    /// Counts a message to `recipient`; `false` when she has got enough and is to be left alone, unseen by the asker.
    pub(crate) async fn may_send_to(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        recipient: &str,
    ) -> Result<bool, database::Error> {
        let (count, _) =
            storage::attempts::count(tx, MAIL_TO.kind, subject(recipient), cx.now, cx.now.plus(MAIL_TO.window)).await?;
        Ok(count <= MAIL_TO.attempts)
    }

    async fn count(&self, cx: &Context, limits: &[(Limit, String)]) -> Result<Counted, FlowError> {
        let mut tx = self.database.write(cx.tenant).await?;
        let mut counted = Counted::default();
        let mut wait = None;
        for (limit, whose) in limits {
            let whose = subject(whose);
            let (count, until) =
                storage::attempts::count(&mut tx, limit.kind, whose, cx.now, cx.now.plus(limit.window)).await?;
            if count > limit.attempts {
                let rest = until.since(cx.now);
                wait = wait.max(Some(rest));
            }
            counted.0.push((limit.kind, whose));
        }
        tx.commit().await?;
        match wait {
            Some(retry_after) => Err(FlowError::TooManyAttempts { retry_after }),
            None => Ok(counted),
        }
    }
}

fn subject(text: &str) -> TokenDigest {
    PlainToken::received(text).digest()
}

/// The network of the client. Whoever has one IPv6 address has its whole `/64`.
fn client_address(cx: &Context) -> String {
    match cx.client_address {
        Some(std::net::IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(mapped) => mapped.to_string(),
            None => format!("{:x?}", &address.segments()[..4]),
        },
        Some(address @ std::net::IpAddr::V4(_)) => address.to_string(),
        None => "unknown".to_owned(),
    }
}
