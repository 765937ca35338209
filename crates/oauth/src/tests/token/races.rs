use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use super::*;

const RACERS: usize = 64;

async fn race<F>(start: impl Fn() -> F) -> Vec<Reply>
where
    F: Future<Output = Reply> + Send + 'static,
{
    let mut racers = JoinSet::new();
    for _ in 0..RACERS {
        racers.spawn(start());
    }
    racers.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_concurrent_refreshes_have_one_successor() {
    database::testing::on_both_engines(&[MIGRATIONS, jobs::MIGRATIONS], |database| async move {
        let settings = json!({"oauth2": {"grant": {"refresh_token": {"rotation_grace_period": "10s"}}}});
        let server = Arc::new(server(database, &settings));
        server.client(json!({})).await;
        let first = offline_tokens(&server).await.string("/refresh_token");
        let replies = race(|| {
            let (server, first) = (server.clone(), first.clone());
            async move { refresh(&server, &first).await }
        })
        .await;
        let successors: BTreeSet<String> = replies.iter().map(|reply| reply.string("/refresh_token")).collect();
        assert_eq!(successors.len(), 1, "every request got the same successor");
        for reply in &replies {
            assert!(is_active(&server, &reply.string("/access_token")).await);
        }
        assert_eq!(refresh(&server, successors.first().unwrap()).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_grace_at_most_one_refresh_succeeds_and_none_is_a_server_error() {
    database::testing::on_both_engines(&[MIGRATIONS, jobs::MIGRATIONS], |database| async move {
        let server = Arc::new(server(database, &json!({})));
        server.client(json!({})).await;
        let first = offline_tokens(&server).await.string("/refresh_token");
        let replies = race(|| {
            let (server, first) = (server.clone(), first.clone());
            async move { refresh(&server, &first).await }
        })
        .await;
        let won = replies.iter().filter(|reply| reply.status == StatusCode::OK).count();
        assert!(won <= 1, "{won}");
        assert!(replies.iter().all(|reply| reply.status.as_u16() < 500));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixty_four_concurrent_redemptions_one_succeeds_and_the_others_are_replays() {
    database::testing::on_both_engines(&[MIGRATIONS, jobs::MIGRATIONS], |database| async move {
        let server = Arc::new(server(database, &json!({})));
        server.client(json!({})).await;
        let code = offline_code(&server, "").await;
        let replies = race(|| {
            let (server, code) = (server.clone(), code.clone());
            async move { redeem(&server, &code, &[]).await }
        })
        .await;
        let won: Vec<_> = replies.iter().filter(|reply| reply.status == StatusCode::OK).collect();
        assert_eq!(won.len(), 1);
        for lost in replies.iter().filter(|reply| reply.status != StatusCode::OK) {
            lost.expect_error(400, "invalid_grant");
        }
        assert!(!is_active(&server, &won[0].string("/access_token")).await, "a replayed code revokes its tokens");
    })
    .await;
}
