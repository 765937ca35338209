//! Limits on attempts, for every API. The decisions are in `domain/attempt_limit.rs`.
//!
//! Invariants:
//! - A guess is reserved in memory before its budgets are read, and written only if it was checked and failed.
//! - A message is counted in the transaction that queues it.

mod memory;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::{Budget, Context, PlainToken, Rng, TenantId};
use database::{Database, WriteTx};
use uuid::Uuid;

use crate::domain::attempt_limit::{Admission, AttemptLimits, Counter, GuessUsage, MAX_FAMILIAR, Usage};
use crate::domain::{IdentityId, SessionId};
use crate::storage;
use crate::storage::attempts::Kind;

use memory::AttemptMemory;
pub(crate) use memory::Reservation;

/// The cookie that identifies a known device. Its value is random and contains no personal data.
pub(crate) const DEVICE_COOKIE: &str = "kleis_device";

const DEVICE_TOKEN_LENGTH: usize = 32;

/// The `last seen` time of a familiar client is updated at most this often, so that daily sign-ins cost one write each.
const SEEN_AGAIN: Duration = Duration::from_hours(24);

/// The sender of a request, to whom attempts are counted.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    network: Counter,
    device: Option<Counter>,
    /// An active session and its identity.
    session: Option<(IdentityId, Counter)>,
}

impl Caller {
    /// A sender that is identified by its address only.
    pub(crate) fn at(cx: &Context) -> Self {
        Self { network: Counter::network(&cx.client_network()), device: None, session: None }
    }

    /// The sender of a request, with the value of their device cookie and a session that proves that the user is
    /// present.
    pub(crate) fn new(cx: &Context, device: Option<&str>, session: Option<(IdentityId, SessionId)>) -> Self {
        let device = device.filter(|token| {
            token.len() == DEVICE_TOKEN_LENGTH && token.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        Self {
            device: device.map(Counter::device),
            session: session.map(|(person, session)| (person, Counter::session(session))),
            ..Self::at(cx)
        }
    }

    /// The clients that can be familiar to a user: the device first.
    fn clients(&self) -> [Counter; storage::attempts::CLIENTS] {
        [self.device.unwrap_or(self.network), self.network]
    }
}

/// What is guessed.
#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    /// A secret that anyone can guess at.
    Secret {
        /// The submitted identifier or address, normalized.
        name: &'a str,
        /// The account with this identifier, if it exists.
        person: Option<IdentityId>,
    },
    /// A second factor, in a session of the user.
    SecondFactor(IdentityId),
}

/// All devices and networks that are familiar to a user, with the time of the last sign-in from each.
#[derive(Clone, Debug, Default)]
pub(crate) struct FamiliarClients(HashMap<Counter, base::Timestamp>);

/// A guess that is being checked. It counts as in flight until it is dropped.
pub(crate) struct AdmittedGuess {
    /// Held until drop.
    _reservation: Reservation,
    charges: Vec<(Counter, Budget)>,
    is_ignored: bool,
    is_strangers: bool,
    pub familiar: FamiliarClients,
}

impl AdmittedGuess {
    /// Whether the guess counts as wrong even if it is right.
    pub(crate) fn is_ignored(&self) -> bool {
        self.is_ignored
    }
}

/// The limit is exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts")]
pub struct TooManyAttempts {
    pub retry_after: Duration,
}

/// Why an attempt is rejected.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// The attempts of all callers, and their limits.
pub(crate) struct Attempts {
    database: Database,
    rng: Rng,
    limits: AttemptLimits,
    memory: Arc<AttemptMemory>,
}

impl Attempts {
    pub(crate) fn new(database: Database, rng: Rng, limits: AttemptLimits) -> Self {
        Self { database, rng, limits, memory: Arc::default() }
    }

    /// Reserves a guess in memory until it is counted or dropped.
    pub(crate) fn reserve(&self, tenant: TenantId, counters: &[Counter]) -> Reservation {
        self.memory.reserve(tenant, counters)
    }

    /// Admits a guess, or returns how long to wait. `is_reserved` marks a guess that no other client can make: it is
    /// checked regardless of the attempts of strangers.
    pub(crate) async fn admit(
        &self,
        cx: &Context,
        caller: &Caller,
        target: &Target<'_>,
        is_reserved: bool,
    ) -> Result<AdmittedGuess, AttemptError> {
        let limits = self.limits.guesses;
        let (name, person, owner) = match *target {
            Target::Secret { name, person } => {
                let counter = person.map_or_else(|| Counter::nobody(name), Counter::person);
                (Counter::name(name), counter, person)
            }
            Target::SecondFactor(person) => {
                (Counter::name_of_second_factor(person), Counter::second_factor(person), Some(person))
            }
        };
        let [device, network] = caller.clients();
        let session = caller.session.filter(|(holder, _)| Some(*holder) == owner).map(|(_, session)| session);
        let [of_device, of_network, of_session] =
            [device, network, session.unwrap_or(network)].map(|client| person.from_client(client));
        let counters = [name, person, caller.network, of_device, of_network, of_session];

        if self.memory.suggests_a_proxy(caller.network, name) {
            let address = cx.client_network();
            tracing::warn!(
                address,
                "many users sign in from this address; if it is a proxy, list it in trusted_proxies, otherwise they all share its limits"
            );
        }
        let mut reservation = self.memory.reserve(cx.tenant, &counters);
        let mut tx = self.database.read(cx.tenant);
        let stored = storage::attempts::guess_usage(&mut tx, &counters, owner, cx.now).await?;
        drop(tx);
        let usage = |counter: Counter| Usage {
            full_at: stored.full_at.get(&counter).copied(),
            in_flight: reservation.before(counter),
        };
        let mut familiar = Vec::new();
        for (client, counter) in [(device, of_device), (network, of_network)] {
            if stored.familiar.contains_key(&client) && !familiar.contains(&counter) {
                familiar.push(counter);
            }
        }
        familiar.extend(session.map(|_| of_session));
        let admission = limits.admit(
            &GuessUsage {
                familiar: familiar.iter().map(|counter| usage(*counter)).collect(),
                name: usage(name),
                person: usage(person),
                network: usage(caller.network),
                tenant: self.memory.tenant_usage(cx.tenant, Kind::Guess),
            },
            cx.now,
        );
        let admission = match admission {
            Err(_) | Ok(Admission::Ignored) if is_reserved => Admission::Stranger,
            Ok(admission) => admission,
            Err(retry_after) => return Err(TooManyAttempts { retry_after }.into()),
        };
        let mut charges = match admission {
            Admission::Familiar(position) => {
                familiar.get(position).map(|counter| (*counter, limits.familiar)).into_iter().collect()
            }
            Admission::Stranger => {
                vec![(name, limits.stranger), (person, limits.stranger), (caller.network, limits.network)]
            }
            Admission::Ignored => vec![(name, limits.stranger), (caller.network, limits.network)],
        };
        // Rows are always locked in the same order.
        charges.sort_by_key(|(counter, _)| *counter);
        let charged: Vec<Counter> = charges.iter().map(|(counter, _)| *counter).collect();
        reservation.keep(&charged);
        Ok(AdmittedGuess {
            _reservation: reservation,
            charges,
            is_ignored: admission == Admission::Ignored,
            is_strangers: !matches!(admission, Admission::Familiar(_)),
            familiar: FamiliarClients(stored.familiar),
        })
    }

    /// The rejection of a guess that would be ignored, for a known user.
    pub(crate) fn no_guess_left(&self) -> TooManyAttempts {
        TooManyAttempts { retry_after: self.limits.guesses.stranger.refill }
    }

    /// Counts a guess that was checked and is wrong. Drop the guess after the commit: from then on the stored rows
    /// count it.
    pub(crate) async fn count_failure(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        guess: &AdmittedGuess,
    ) -> Result<(), database::Error> {
        for (counter, budget) in &guess.charges {
            storage::attempts::spend(tx, Kind::Guess, *counter, *budget, cx.now).await?;
        }
        if guess.is_strangers {
            let budget = self.limits.guesses.tenant;
            self.memory.spend_of_tenant(cx.tenant, Kind::Guess, budget, cx.now);
        }
        Ok(())
    }

    /// Records the clients from which a user signed in, at most once a day. Returns the value of the new device cookie
    /// for a browser without one.
    #[expect(clippy::too_many_arguments, reason = "each parameter has a different source")]
    pub(crate) async fn remember(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        caller: &Caller,
        person: IdentityId,
        known: &FamiliarClients,
        is_browser: bool,
    ) -> Result<Option<PlainToken>, database::Error> {
        let new_device =
            (is_browser && caller.device.is_none()).then(|| PlainToken::generate(&self.rng, "", DEVICE_TOKEN_LENGTH));
        let device = new_device.as_ref().map(|token| Counter::device(token.expose())).or(caller.device);
        let expires_at = cx.now.plus(self.limits.familiar_for);
        let is_fresh =
            |client: &Counter| known.0.get(client).is_some_and(|seen_at| cx.now.since(*seen_at) < SEEN_AGAIN);
        let seen: Vec<Counter> = device.into_iter().chain([caller.network]).filter(|it| !is_fresh(it)).collect();
        storage::familiar_clients::insert(tx, person, &seen, cx.now, expires_at).await?;
        let added = seen.iter().filter(|client| !known.0.contains_key(client)).count();
        if added > 0 && known.0.len() + added > usize::from(MAX_FAMILIAR) {
            storage::familiar_clients::delete_oldest(tx, person).await?;
        }
        Ok(new_device)
    }

    /// Counts an attempt to register a taken identifier: many of them would reveal which accounts exist.
    pub(crate) async fn count_taken(&self, cx: &Context) -> Result<(), AttemptError> {
        let budget = self.limits.taken_names;
        let mut tx = self.database.write(cx.tenant).await?;
        let network = Counter::network(&cx.client_network());
        if !storage::attempts::try_spend(&mut tx, Kind::TakenName, network, budget, cx.now).await? {
            let full_at = storage::attempts::full_at(&mut tx, Kind::TakenName, network).await?;
            let retry_after = budget.admit(full_at, 0, cx.now).err().unwrap_or(budget.refill);
            return Err(TooManyAttempts { retry_after }.into());
        }
        tx.commit().await?;
        Ok(())
    }

    /// The time until the network of the request may cause another message. Zero for a known device, which may be
    /// exempt; if it is not, its submission is rejected.
    pub(crate) async fn message_wait(&self, cx: &Context, caller: &Caller) -> Result<Duration, database::Error> {
        if caller.device.is_some() {
            return Ok(Duration::ZERO);
        }
        let mut tx = self.database.read(cx.tenant);
        let full_at = storage::attempts::full_at(&mut tx, Kind::Message, caller.network).await?;
        Ok(self.limits.messages.network.admit(full_at, 0, cx.now).err().unwrap_or_default())
    }

    /// Counts a message, whether or not the recipient has an account. Returns [`MessageAdmission::Withheld`] when the
    /// recipient exceeded their limit; the response is the same. When the network exceeded its limit, the submission is
    /// rejected if it requests the message; a message that follows from another step is withheld.
    pub(crate) async fn count_message(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        message: &CountedMessage<'_>,
    ) -> Result<MessageAdmission, AttemptError> {
        let limits = self.limits.messages;
        let caller = message.caller;
        let [device, network] = caller.clients();
        // Unknown recipients are looked up too, so that timing does not reveal whether the account exists.
        let person = message.person.unwrap_or(IdentityId::from_uuid(Uuid::nil()));
        let familiar = storage::attempts::familiar(tx, person, &[device, network], cx.now).await?;
        let familiar_device = caller.device.filter(|device| familiar.contains_key(device));
        // The exemption is for a device, not for a network: other clients in it would learn who signed in from it.
        if familiar_device.is_none() {
            let tenant = self.memory.tenant_usage(cx.tenant, Kind::Message);
            let refused = if let Err(wait) = limits.tenant.admit(tenant.full_at, 0, cx.now) {
                Some(wait)
            } else if storage::attempts::try_spend(tx, Kind::Message, caller.network, limits.network, cx.now).await? {
                self.memory.spend_of_tenant(cx.tenant, Kind::Message, limits.tenant, cx.now);
                None
            } else {
                let full_at = storage::attempts::full_at(tx, Kind::Message, caller.network).await?;
                Some(limits.network.admit(full_at, 0, cx.now).err().unwrap_or(limits.network.refill))
            };
            match refused {
                Some(retry_after) if message.is_asked_for => return Err(TooManyAttempts { retry_after }.into()),
                Some(_) => {
                    tracing::warn!(
                        request_id = %cx.request_id,
                        address = cx.client_network(),
                        "a message is not sent: too many messages were requested from this address"
                    );
                    return Ok(MessageAdmission::Withheld);
                }
                None => {}
            }
        }
        let recipient = Counter::name(message.recipient);
        let client = familiar_device.or_else(|| Some(caller.network).filter(|it| familiar.contains_key(it)));
        let (counter, budget) = match client {
            Some(client) => (recipient.from_client(client), limits.familiar),
            None => (recipient, limits.stranger),
        };
        if storage::attempts::try_spend(tx, Kind::Message, counter, budget, cx.now).await? {
            return Ok(if client.is_some() { MessageAdmission::ByFamiliar } else { MessageAdmission::ByStranger });
        }
        tracing::warn!(request_id = %cx.request_id, "a message is not sent: too many messages were sent to its recipient");
        Ok(MessageAdmission::Withheld)
    }
}

/// A message to be queued.
pub(crate) struct CountedMessage<'a> {
    pub caller: &'a Caller,
    /// Normalized.
    pub recipient: &'a str,
    pub person: Option<IdentityId>,
    /// Whether the submission requests the message.
    pub is_asked_for: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageAdmission {
    ByFamiliar,
    ByStranger,
    Withheld,
}
