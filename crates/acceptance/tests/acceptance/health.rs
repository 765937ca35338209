//! Every listener says how it is, and nothing else to strangers.

use acceptance::suite::on_both_engines;
use anyhow::{Result, ensure};
use http::StatusCode;
use serde_json::json;
use server::config::Service;

const LISTENERS: &[(Service, &str)] = &[
    (Service::Identity, "public"),
    (Service::Identity, "admin"),
    (Service::Oauth, "public"),
    (Service::Oauth, "admin"),
    (Service::Gateway, "api"),
];

#[tokio::test]
async fn every_listener_is_alive_and_ready() -> Result<()> {
    on_both_engines(async |suite| {
        let mut client = suite.api();
        for (service, listener) in LISTENERS {
            let alive =
                client.get(suite.url(*service, listener, "/health/alive")).await?.expect_status(StatusCode::OK)?;
            ensure!(alive.at("") == json!({ "status": "ok" }), "{}", alive.summary());
            // A gateway without a rule lets nobody through, and is not ready.
            if *service != Service::Gateway {
                let ready = client.get(suite.url(*service, listener, "/health/ready")).await?;
                ensure!(ready.expect_status(StatusCode::OK)?.at("/status") == "ok");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_admin_listeners_show_version_and_metrics() -> Result<()> {
    on_both_engines(async |suite| {
        let mut client = suite.api();
        for url in [suite.identity_admin("/admin/version"), suite.oauth_admin("/version")] {
            let version = client.get(url).await?.expect_status(StatusCode::OK)?;
            ensure!(version.at("/version").is_string(), "{}", version.summary());
        }
        for url in [suite.identity_admin("/admin/metrics/prometheus"), suite.oauth_admin("/metrics/prometheus")] {
            let metrics = client.get(url).await?.expect_status(StatusCode::OK)?;
            ensure!(metrics.text().contains("# TYPE http_requests"), "{}", metrics.summary());
        }
        for url in [suite.identity("/metrics/prometheus"), suite.oauth("/metrics/prometheus")] {
            client.get(url).await?.expect_status(StatusCode::NOT_FOUND)?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_admin_api_is_not_on_the_public_listener() -> Result<()> {
    on_both_engines(async |suite| {
        let mut client = suite.api();
        for url in [suite.identity("/admin/identities"), suite.oauth("/admin/clients"), suite.oauth("/clients")] {
            let answer = client.get(&url).await?;
            ensure!(!answer.status.is_success(), "{url}: {}", answer.summary());
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_unknown_path_is_not_found_and_stays_json() -> Result<()> {
    on_both_engines(async |suite| {
        let mut client = suite.api();
        for url in [suite.identity("/nowhere"), suite.identity_admin("/nowhere"), suite.gateway_api("/nowhere")] {
            let answer = client.get(&url).await?.expect_status(StatusCode::NOT_FOUND)?;
            ensure!(answer.at("/error/code") == 404, "{}", answer.summary());
        }
        for url in [suite.oauth("/nowhere"), suite.oauth_admin("/nowhere")] {
            let answer = client.get(&url).await?.expect_status(StatusCode::NOT_FOUND)?;
            ensure!(answer.at("/error") == "not_found", "{}", answer.summary());
        }
        Ok(())
    })
    .await
}
