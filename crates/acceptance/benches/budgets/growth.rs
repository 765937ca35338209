//! Growth: what is asked of a thousand people and their sessions takes no longer among a million.

use std::time::Duration;

use anyhow::{Context as _, Result};
use base::{PlainToken, Rng, Sealer, Secret, TenantId, Timestamp};
use database::{Database, Dsn};
use identity::domain::credential::FactorRules;
use identity::domain::session::AuthenticationMethod;
use identity::domain::traits_schema::Derived;
use identity::domain::{Aal, Credential, CredentialType, Device, Identity, IdentityId, Session, Via};
use identity::storage::{Vault, identities, sessions};
use serde_json::json;

use crate::load::{Shot, each};
use crate::program::Program;
use crate::report::Report;

/// Under which the measured program seals, so that it opens what is written here.
pub(crate) const CIPHER_SECRET: &str = "a-secret-of-32-bytes-for-a-bench";

const SMALL: u32 = 1_000;
const LARGE: u32 = 1_000_000;
/// People a transaction.
const BATCH: u32 = 5_000;
/// How many different people are asked for, each once: nothing is answered from memory.
const ASKED: u32 = 500;

/// What is measured at each size.
struct Figures {
    whoami: Duration,
    by_id: Duration,
    by_identifier: Duration,
    begin_login: Duration,
}

/// One of the people whom [`populate`] wrote.
struct Person {
    id: IdentityId,
    number: u32,
}

pub(crate) async fn measure(program: &Program, report: &mut Report) -> Result<()> {
    let database = Database::open(&Dsn::sqlite(program.folder().join("kleis-data/kleis.db"))).await?;
    let few = populate(&database, 0, SMALL).await?;
    let small = figures(program, &few).await?;
    let many = populate(&database, SMALL, LARGE).await?;
    let large = figures(program, &many).await?;
    for (what, slow, quick) in [
        ("growth: whoami, unremembered", large.whoami, small.whoami),
        ("growth: identity by id", large.by_id, small.by_id),
        ("growth: identity by identifier", large.by_identifier, small.by_identifier),
        ("growth: a login begins (durable)", large.begin_login, small.begin_login),
    ] {
        report.at_most_times(what, slow, "10^3 people", quick, 1.5);
    }
    Ok(())
}

/// Asks for people spread over all that there are.
async fn figures(program: &Program, people: &[Person]) -> Result<Figures> {
    let (public, admin) = (program.ports.identity, program.ports.identity_admin);
    let p50 = async |shots: Result<Vec<Shot>>| anyhow::Ok(each(&shots?).await?.percentile(0.5));
    let shots = |shot: &dyn Fn(&Person) -> Result<Shot>| people.iter().map(shot).collect::<Result<Vec<_>>>();
    // The first round fills the page cache of the larger file.
    for _ in 0..2 {
        p50(shots(&|person| Ok(Shot::get(admin, &format!("/admin/identities/{}", person.id))))).await?;
    }
    Ok(Figures {
        whoami: p50(shots(&|person| {
            Shot::get(public, "/sessions/whoami").with_header("x-session-token", &token(person.number))
        }))
        .await?,
        by_id: p50(shots(&|person| Ok(Shot::get(admin, &format!("/admin/identities/{}", person.id))))).await?,
        by_identifier: p50(shots(&|person| {
            let path = format!("/admin/identities?credentials_identifier={}", email(person.number));
            Ok(Shot::get(admin, &path))
        }))
        .await?,
        begin_login: p50(shots(&|_| Ok(Shot::get(public, "/self-service/login/api")))).await?,
    })
}

fn token(number: u32) -> String {
    format!("ory_st_of_person_{number:024}")
}

fn email(number: u32) -> String {
    format!("person{number}@example.org")
}

/// Writes the people from `from` until `to`, with addresses, a password's identifier and a session each, and gives back
/// some of them.
async fn populate(database: &Database, from: u32, to: u32) -> Result<Vec<Person>> {
    let rng = Rng::system();
    let now = base::Clock::system().now();
    let sealer = Sealer::new(&[Secret::new(CIPHER_SECRET.to_owned())], rng.clone()).context("a secret to seal with")?;
    let vault = Vault::new(&sealer, TenantId::DEFAULT);
    let step = (to - from) / ASKED;
    let mut asked = Vec::new();
    let mut number = from;
    while number < to {
        let mut tx = database.write(TenantId::DEFAULT).await?;
        let end = (number + BATCH).min(to);
        while number < end {
            let person = person(&rng, number, now);
            identities::insert(&mut tx, vault, &person).await?;
            sessions::insert(&mut tx, &session(&rng, &person, number, now)).await?;
            if (number - from).is_multiple_of(step) {
                asked.push(Person { id: person.id, number });
            }
            number += 1;
        }
        tx.commit().await?;
    }
    asked.truncate(usize::try_from(ASKED)?);
    asked.first().context("nobody was written")?;
    Ok(asked)
}

fn person(rng: &Rng, number: u32, now: Timestamp) -> Identity {
    let email = email(number);
    let mut person = Identity::new(IdentityId::generate(rng), "default", json!({ "email": email }), now);
    let address = vec![(Via::Email, email.clone())];
    let derived = Derived {
        password: vec![email.clone()],
        code: address.clone(),
        verifiable: address.clone(),
        recovery: address,
        ..Derived::default()
    };
    person.follow(&derived, rng, now);
    let password = Credential::password(vec![email], "$2a$12$nobody", now);
    person.credentials.insert(CredentialType::Password, password);
    person.refresh_available_aal(FactorRules::default());
    person
}

fn session(rng: &Rng, person: &Identity, number: u32, now: Timestamp) -> Session {
    let method = AuthenticationMethod::new(CredentialType::Password, Aal::Aal1, now);
    let device = Device::unknown(rng);
    let (mut session, _) = Session::issue(rng, person.id, method, device, Duration::from_hours(24), now);
    session.token_digest = PlainToken::received(token(number)).digest();
    session
}
