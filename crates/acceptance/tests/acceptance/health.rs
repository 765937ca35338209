//! Every listener reports its health, and no details to the public.

use acceptance::suite::on_both_engines;
use anyhow::{Result, ensure};
use base::TenantId;
use database::Statement;
use http::StatusCode;
use serde_json::json;
use server::config::Service;

const LISTENERS: &[(Service, &str)] = &[
    (Service::IDENTITY, "public"),
    (Service::IDENTITY, "admin"),
    (Service::OAUTH, "public"),
    (Service::OAUTH, "admin"),
    (Service::PERMISSIONS, "read"),
    (Service::PERMISSIONS, "write"),
    (Service::PERMISSIONS, "opl"),
    (Service::PERMISSIONS, "metrics"),
    (Service::GATEWAY, "api"),
];

#[tokio::test]
async fn every_listener_is_alive_and_ready() -> Result<()> {
    on_both_engines(async |suite| {
        let mut client = suite.api();
        for (service, listener) in LISTENERS {
            let alive =
                client.get(suite.url(*service, listener, "/health/alive")).await?.expect_status(StatusCode::OK)?;
            ensure!(alive.at("") == json!({ "status": "ok" }), "{}", alive.summary());
            // A gateway without a rule refuses every request, and is not ready.
            if *service != Service::GATEWAY {
                let ready = client.get(suite.url(*service, listener, "/health/ready")).await?;
                ensure!(ready.expect_status(StatusCode::OK)?.at("/status") == "ok");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_database_that_refuses_writes_is_not_ready() -> Result<()> {
    const AWAY: &str = "ALTER TABLE kleis_migrations RENAME TO kleis_migrations_away";
    const BACK: &str = "ALTER TABLE kleis_migrations_away RENAME TO kleis_migrations";
    static RENAMES: [Statement; 2] =
        [Statement::across_tenants("away", AWAY, AWAY), Statement::across_tenants("back", BACK, BACK)];
    on_both_engines(async |suite| {
        let mut client = suite.api();
        // The table of the probe is renamed: reads succeed and the probe fails, as on a full disk.
        suite.database().write_once(TenantId::DEFAULT, &RENAMES[0], &[]).await?;
        let refused = client.get(suite.identity_admin("/health/ready")).await?;
        let refused = refused.expect_status(StatusCode::SERVICE_UNAVAILABLE)?;
        let reason = refused.at("/errors/database").as_str().unwrap_or_default().to_owned();
        ensure!(reason.starts_with("writes are refused"), "{}", refused.summary());
        let public = client.get(suite.oauth("/health/ready")).await?.expect_status(StatusCode::SERVICE_UNAVAILABLE)?;
        ensure!(
            !public.text().contains("refused"),
            "the public listener must not give the reason: {}",
            public.summary()
        );
        client.get(suite.oauth("/health/alive")).await?.expect_status(StatusCode::OK)?;
        suite.database().write_once(TenantId::DEFAULT, &RENAMES[1], &[]).await?;
        client.get(suite.identity_admin("/health/ready")).await?.expect_status(StatusCode::OK)?;
        client.get(suite.oauth("/health/ready")).await?.expect_status(StatusCode::OK)?;
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
            let metrics = client.get(&url).await?.expect_status(StatusCode::OK)?;
            let media_type = metrics.header("content-type");
            ensure!(media_type.starts_with("text/plain; version=0.0.4"), "{}", metrics.summary());
            ensure!(metrics.text().contains("# TYPE http_requests_total counter"), "{}", metrics.summary());
            let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
            let metrics = suite.api().with_header("accept", accept).get(&url).await?.expect_status(StatusCode::OK)?;
            let media_type = metrics.header("content-type");
            ensure!(media_type.starts_with("application/openmetrics-text"), "{}", metrics.summary());
            ensure!(metrics.text().ends_with("# EOF\n"), "{}", metrics.summary());
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

#[tokio::test]
async fn a_person_at_an_unknown_path_gets_a_page_that_leads_to_the_start() -> Result<()> {
    on_both_engines(async |suite| {
        let start = suite.identity("/");
        for url in [suite.identity("/nowhere"), suite.oauth("/nowhere")] {
            let page = suite.browser().get(&url).await?.expect_status(StatusCode::NOT_FOUND)?;
            ensure!(page.header("content-type").starts_with("text/html"), "{}", page.summary());
            ensure!(page.text_of("h1").as_deref() == Some("This page does not exist"), "{}", page.summary());
            ensure!(!page.text().contains("nowhere"), "nothing of the address is shown");
            ensure!(page.link("main a.button")?.as_str() == start, "{}", page.summary());
        }
        let mut german = suite.browser().with_header("accept-language", "de");
        let url = url::Url::parse(&suite.identity("/ui/login"))?;
        let page = german.send(http::Method::DELETE, &url, None, "".into()).await?;
        let page = page.expect_status(StatusCode::METHOD_NOT_ALLOWED)?;
        ensure!(
            page.text_of("h1").as_deref() == Some("Diese Adresse lässt sich so nicht öffnen"),
            "{}",
            page.summary()
        );
        ensure!(page.header("allow").contains("GET"), "{}", page.summary());
        Ok(())
    })
    .await
}
