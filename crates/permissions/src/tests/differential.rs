//! What clients are answered, on both engines, is what the reference answers.

use database::testing::{on_both_engines, sqlite};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::testing::differential::Compared;
use crate::testing::service_differential::Services;

const SETS: &[database::MigrationSet] = &[jobs::MIGRATIONS, crate::MIGRATIONS];

async fn compare(mut services: Services, seeds: impl Iterator<Item = u64>) {
    let mut compared = Compared::default();
    for seed in seeds {
        compared.add(services.compare(seed).await.unwrap());
    }
    // Too few of either kind would mean that the questions no longer test anything.
    assert!(compared.yes > compared.questions / 10, "{compared:?}");
    assert!(compared.failures > compared.questions / 10, "{compared:?}");
}

#[tokio::test]
async fn the_tables_answer_as_the_reference() {
    on_both_engines(SETS, |database| async move {
        compare(Services::on_tables(&database).unwrap(), 0..20).await;
    })
    .await;
}

#[tokio::test]
async fn the_service_in_memory_answers_and_lists_as_the_reference() {
    let services = Services::in_memory(&sqlite(SETS).await).unwrap();
    let (_stop, stopped) = watch::channel(false);
    let mut following = JoinSet::new();
    for service in services.all() {
        following.spawn(service.clone().follow_changes(stopped.clone()));
    }
    compare(services, 0..40).await;
}
