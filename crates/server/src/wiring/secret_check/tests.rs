use std::path::Path;

use base::{Clock, Rng, Sealer, Secret, TenantId};
use serde_json::{Value, json};

use super::{CHECK, Listed, Sealers, SecretsError, listed, opens, record};
use crate::config::Service;

use crate::config::Config;
use crate::{Environment, Running, StartError, start};

fn environment(data: &Path) -> Environment {
    Environment { data_dir: data.to_owned(), free_ports: true, ..Environment::system() }
}

async fn begin(data: &Path, tree: Value) -> Result<Running, StartError> {
    start(Config::from_value(&[], tree).unwrap(), environment(data)).await
}

/// The reason why the start is refused.
async fn refused(data: &Path, tree: Value) -> String {
    match begin(data, tree).await {
        Err(StartError::Faults(faults)) => faults.to_string(),
        other => panic!("not refused before anything is written: {other:?}"),
    }
}

async fn start_and_stop(data: &Path, tree: Value) {
    begin(data, tree).await.unwrap().shutdown().await;
}

/// Starts once with the flag that accepts secrets that do not match.
async fn accept(data: &Path, tree: Value) {
    let environment = Environment { accept_new_secrets: true, ..environment(data) };
    start(Config::from_value(&[], tree).unwrap(), environment).await.unwrap().shutdown().await;
}

fn secrets(list: &[&str]) -> Value {
    json!({ "default": list })
}

const OLD: &str = "the-old-secret-of-many-characters";
const NEW: &str = "the-new-secret-of-many-characters";
const NEWEST: &str = "the-newest-secret-of-many-characters";

fn sealer(list: &[&str]) -> Sealer {
    let secrets: Vec<_> = list.iter().map(|text| Secret::new((*text).to_owned())).collect();
    Sealer::new(&secrets, Rng::seeded(1)).unwrap()
}

fn check_value(secret: &str) -> String {
    sealer(&[secret]).seal_text(CHECK, TenantId::DEFAULT, &[])
}

/// The secrets of the check values that `list` leaves in the database, the newest first.
fn left(list: &[&str], found: &[&str], accept_lost: bool) -> Option<Vec<&'static str>> {
    let found: Vec<_> = found.iter().map(|secret| check_value(secret)).collect();
    let found = found.join(" ");
    let text = match listed(&sealer(list), (!found.is_empty()).then_some(found.as_str()), accept_lost) {
        Listed::Complete => found,
        Listed::Changed(text) => {
            assert_ne!(text, found);
            text
        }
        Listed::Missing => return None,
    };
    let secret_of = |value| [OLD, NEW, NEWEST].into_iter().find(|secret| opens(&sealer(&[secret]), value)).unwrap();
    Some(text.split(' ').map(secret_of).collect())
}

#[test]
fn the_first_secret_is_listed_and_only_secrets_that_are_lost_are_given_up() {
    for accept_lost in [false, true] {
        assert_eq!(left(&[OLD], &[], accept_lost), Some(vec![OLD]));
        assert_eq!(left(&[OLD], &[OLD], accept_lost), Some(vec![OLD]));
        assert_eq!(left(&[NEW, OLD], &[OLD], accept_lost), Some(vec![NEW, OLD]));
        assert_eq!(left(&[OLD, NEW], &[NEW, OLD], accept_lost), Some(vec![NEW, OLD]));
    }
    assert_eq!(left(&[NEW], &[OLD], false), None);
    assert_eq!(left(&[NEW], &[OLD], true), Some(vec![NEW]));
    assert_eq!(left(&[NEWEST, OLD], &[NEW, OLD], false), None);
    assert_eq!(left(&[NEWEST, OLD], &[NEW, OLD], true), Some(vec![NEWEST, OLD]), "OLD still opens its values");
    assert_eq!(left(&[OLD], &[NEW, OLD], true), Some(vec![OLD]));
}

#[tokio::test]
async fn nodes_that_start_at_once_with_another_first_secret_each_list_all_of_them() {
    database::testing::on_both_engines(&[crate::storage::MIGRATIONS], async |database| {
        let now = Clock::system().now();
        let orders = [[OLD, NEW, NEWEST], [NEW, NEWEST, OLD], [NEWEST, OLD, NEW]];
        let mut nodes = tokio::task::JoinSet::new();
        for order in orders {
            let database = database.clone();
            nodes.spawn(async move {
                let sealers: Sealers = vec![(Service::IDENTITY, sealer(&order))];
                record(&database, &sealers, false, now).await.unwrap()
            });
        }
        assert!(nodes.join_all().await.iter().all(Vec::is_empty));
        let sealers: Sealers = vec![(Service::IDENTITY, sealer(&[NEW, OLD]))];
        let errors = record(&database, &sealers, false, now).await.unwrap();
        assert!(matches!(errors[..], [SecretsError::Mismatch(service)] if service == Service::IDENTITY), "{errors:?}");
        let mut read = database.read(TenantId::DEFAULT);
        let found = crate::storage::secret_checks::find(&mut read, "identity").await.unwrap().unwrap();
        assert_eq!(found.split(' ').count(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_lost_secrets_file_beside_a_database_with_data_stops_the_start() {
    let place = tempfile::tempdir().unwrap();
    start_and_stop(place.path(), json!({})).await;
    let file = place.path().join("secrets.json");
    std::fs::remove_file(&file).unwrap();
    for _ in 0..2 {
        let text = refused(place.path(), json!({})).await;
        assert!(text.contains("written with are missing") && text.contains("--accept-new-secrets"), "{text}");
        assert!(text.contains("secrets.json"), "{text}");
        assert!(!file.exists(), "a refused start leaves no new secrets");
    }
    accept(place.path(), json!({})).await;
    start_and_stop(place.path(), json!({})).await;
}

#[tokio::test]
async fn a_lost_database_beside_its_secrets_stops_the_start() {
    let before = tempfile::tempdir().unwrap();
    start_and_stop(before.path(), json!({})).await;
    let place = tempfile::tempdir().unwrap();
    std::fs::copy(before.path().join("secrets.json"), place.path().join("secrets.json")).unwrap();
    let database = place.path().join("kleis.db");
    std::fs::write(&database, "").unwrap();
    let text = refused(place.path(), json!({})).await;
    assert!(text.contains("the database is empty") && text.contains("--accept-new-secrets"), "{text}");
    // A second start is refused as well: the first one created no tables, which would count as data.
    assert!(refused(place.path(), json!({})).await.contains("the database is empty"));
    accept(place.path(), json!({})).await;
    start_and_stop(place.path(), json!({})).await;
    let place = tempfile::tempdir().unwrap();
    std::fs::copy(before.path().join("secrets.json"), place.path().join("secrets.json")).unwrap();
    assert!(refused(place.path(), json!({})).await.contains("the database is empty"), "the file is missing");
}

#[tokio::test]
async fn a_truncated_database_that_is_configured_stops_the_start_and_a_new_one_does_not() {
    let place = tempfile::tempdir().unwrap();
    let dsn = |name: &str| json!({ "dsn": format!("sqlite://{}/{name}", place.path().display()) });
    start_and_stop(place.path(), dsn("first.db")).await;
    start_and_stop(place.path(), dsn("second.db")).await;
    std::fs::write(place.path().join("third.db"), "").unwrap();
    assert!(refused(place.path(), dsn("third.db")).await.contains("the database is empty"));
}

#[tokio::test]
async fn a_node_with_other_secrets_is_refused_on_both_engines() {
    let place = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}/kleis.db", place.path().display());
    for dsn in [file, database::testing::postgres_url().await] {
        let tree = |list: &[&str]| json!({ "dsn": dsn, "secrets": secrets(list) });
        start_and_stop(place.path(), tree(&[OLD])).await;
        let error = refused(place.path(), tree(&[NEW])).await;
        assert!(
            error.contains("the secrets of identity do not match") && error.contains("the secrets of oauth"),
            "{error}"
        );
        start_and_stop(place.path(), tree(&[OLD])).await;
        let only_oauth = json!({ "dsn": dsn, "secrets": secrets(&[OLD]), "oauth": { "secrets": { "system": [NEW] } } });
        let error = refused(place.path(), only_oauth).await;
        assert!(
            error.contains("the secrets of oauth do not match") && !error.contains("secrets of identity"),
            "{error}"
        );
        accept(place.path(), tree(&[NEW])).await;
        start_and_stop(place.path(), tree(&[NEW])).await;
    }
}

#[tokio::test]
async fn a_secret_that_stored_values_may_need_cannot_be_removed() {
    let place = tempfile::tempdir().unwrap();
    let tree = |list: &[&str]| json!({ "dsn": format!("sqlite://{}/kleis.db", place.path().display()), "secrets": secrets(list) });
    start_and_stop(place.path(), tree(&[OLD])).await;
    start_and_stop(place.path(), tree(&[NEW, OLD])).await;
    start_and_stop(place.path(), tree(&[NEWEST, NEW, OLD])).await;
    for list in [&[OLD][..], &[NEW], &[NEWEST], &[NEWEST, OLD], &[NEWEST, NEW], &[NEW, OLD]] {
        assert!(refused(place.path(), tree(list)).await.contains("do not match"), "{list:?}");
    }
    // In another order no secret is missing.
    for _ in 0..2 {
        start_and_stop(place.path(), tree(&[OLD, NEWEST, NEW])).await;
    }
    accept(place.path(), tree(&[NEWEST])).await;
    start_and_stop(place.path(), tree(&[NEWEST])).await;
}

#[tokio::test]
async fn a_database_that_an_older_version_wrote_keeps_its_secrets() {
    let place = tempfile::tempdir().unwrap();
    let older = database::Database::open(&database::Dsn::sqlite(place.path().join("kleis.db"))).await.unwrap();
    older.migrate(&[jobs::MIGRATIONS], Clock::system().now()).await.unwrap();
    drop(older);
    assert!(refused(place.path(), json!({})).await.contains("are missing"));
    let kept = crate::data_dir::generate(&Rng::seeded(1));
    crate::data_dir::DataDir::open(place.path()).unwrap().keep_secrets(&kept).unwrap();
    start_and_stop(place.path(), json!({})).await;
}
