//! Paged lists: invalid sizes, numbers and tokens, and tokens of another list.

use anyhow::{Context as _, Result, ensure};

use super::routes::Place;
use super::verdict::{refused_by_name, sane};
use super::wire::{Answer, Request, send};
use super::world::World;
use crate::identity::{PASSWORD, log_in};

/// The lists with page tokens.
const LISTS: [(Place, &str); 10] = [
    (Place::IdentityPublic, "/sessions"),
    (Place::IdentityPublic, "/schemas"),
    (Place::IdentityAdmin, "/admin/identities"),
    (Place::IdentityAdmin, "/admin/identities/{identity}/sessions"),
    (Place::IdentityAdmin, "/admin/sessions"),
    (Place::IdentityAdmin, "/admin/courier/messages"),
    (Place::OauthAdmin, "/admin/clients"),
    (Place::OauthAdmin, "/admin/oauth2/auth/sessions/consent?subject=alice"),
    (Place::PermissionsRead, "/relation-tuples"),
    (Place::PermissionsRead, "/relation-tuples/objects?namespace=Doc&relation=viewer&subject_id=alice"),
];

async fn list(world: &World, (place, path): (Place, &str), parameter: &str) -> Result<Answer> {
    let path = world.fill(path);
    let separator = if path.contains('?') { '&' } else { '?' };
    let request = Request::new("GET", format!("{path}{separator}{parameter}"));
    send(world, place, &request.header("X-Session-Token", &world.session_token)).await
}

/// The token of the second page, if there is one.
async fn token_of(world: &World, it: (Place, &str)) -> Result<Option<String>> {
    let answer = list(world, it, "page_size=1").await?;
    ensure!(answer.status == 200, "{it:?}: {}", answer.summary());
    let next = answer.header("link").split(',').find(|link| link.contains("rel=\"next\"")).map(str::to_owned);
    let Some(next) = next else { return Ok(None) };
    let token = next.split(['?', '&', '>']).find_map(|part| part.strip_prefix("page_token="));
    Ok(Some(token.context("a token in the link")?.to_owned()))
}

#[tokio::test]
async fn an_invalid_size_is_refused_with_its_name() -> Result<()> {
    World::on_both_engines(async |world| {
        for it in LISTS {
            for size in ["abc", "1.5", "1e3", "0x10", "%201", "99999999999999999999", "%EF%BC%91", "%ff", "1,2", "--"] {
                let answer = list(world, it, &format!("page_size={size}")).await?;
                ensure!(answer.status == 400, "{it:?} {size}: {}", answer.summary());
                refused_by_name(it.0, &answer, "page_size").with_context(|| format!("{it:?} {size}"))?;
            }
            // As in the originals, a size below one means the default.
            for size in ["-1", "0", "1", "4294967295", ""] {
                let answer = list(world, it, &format!("page_size={size}")).await?;
                ensure!(answer.status == 200, "{it:?} {size}: {}", answer.summary());
            }
            for page in ["-1", "0", "4294967295", "9223372036854775807", "9223372036854775808", "x", "1.5"] {
                let answer = list(world, it, &format!("page={page}&per_page=1000")).await?;
                sane(it.0, &answer).with_context(|| format!("{it:?} page {page}"))?;
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_invalid_token_is_refused_with_its_name() -> Result<()> {
    World::on_both_engines(async |world| {
        let long = "A".repeat(12_000);
        for it in LISTS {
            for token in
                ["x", "MQ", "1", "-1", "%ff", "%22", "AAAA", "00000000-0000-0000-0000-000000000000", "e30", &long]
            {
                let answer = list(world, it, &format!("page_token={token}")).await?;
                ensure!(answer.status == 400, "{it:?} {token}: {}", answer.summary());
                refused_by_name(it.0, &answer, "page_token").with_context(|| format!("{it:?} {token}"))?;
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_token_of_another_list_and_a_changed_token_are_refused() -> Result<()> {
    World::on_both_engines(async |world| {
        // Enough rows for a second page.
        for _ in 0..3 {
            log_in(&world.suite, super::world::ALICE, PASSWORD).await?;
        }
        crate::identity::register(&world.suite, "second@example.org").await?;
        let mut tokens = Vec::new();
        for it in LISTS {
            if let Some(token) = token_of(world, it).await? {
                tokens.push((it, token));
            }
        }
        ensure!(tokens.len() >= 6, "only {} lists have a second page", tokens.len());
        for (it, token) in &tokens {
            let own = list(world, *it, &format!("page_token={token}")).await?;
            ensure!(own.status == 200, "{it:?}: {}", own.summary());
            for other in LISTS.iter().filter(|other| *other != it) {
                let answer = list(world, *other, &format!("page_token={token}")).await?;
                ensure!(answer.status == 400, "of {it:?} for {other:?}: {}", answer.summary());
                refused_by_name(other.0, &answer, "page_token")?;
            }
            for changed in super::tokens::with_one_bit_flipped(token) {
                let answer = list(world, *it, &format!("page_token={changed}")).await?;
                ensure!(answer.status == 400, "{it:?} {changed}: {}", answer.summary());
            }
        }
        Ok(())
    })
    .await
}

/// The gateway uses numbers, and ignores invalid ones, as the original does.
#[tokio::test]
async fn the_list_of_rules_ignores_invalid_parameters() -> Result<()> {
    let world = World::on_sqlite().await?;
    for query in
        ["limit=-1", "limit=x", "offset=99999999999999999999", "offset=-1&limit=0", "limit=18446744073709551615"]
    {
        let answer = send(&world, Place::GatewayApi, &Request::new("GET", format!("/rules?{query}"))).await?;
        ensure!(answer.status == 200, "{query}: {}", answer.summary());
    }
    world.end().await
}
