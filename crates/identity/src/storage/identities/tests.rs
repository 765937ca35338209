use std::time::Duration;

use base::{PageRequest, Rng, Sealer, Secret, TenantId, Timestamp};
use database::Database;
use serde_json::json;

use super::*;
use crate::domain::credential::CredentialConfig;
use crate::domain::traits_schema::Derived;
use crate::domain::{Credential, Via};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn sealer() -> Sealer {
    Sealer::new(&[Secret::new("a secret of the tests".to_owned())], Rng::seeded(1)).unwrap()
}

fn person(rng: &Rng, email: &str) -> Identity {
    let mut identity = Identity::new(IdentityId::generate(rng), "default", json!({ "email": email }), NOW);
    let list = vec![(Via::Email, email.to_owned())];
    let derived = Derived {
        password: vec![email.to_owned()],
        code: list.clone(),
        verifiable: list.clone(),
        recovery: list,
        ..Derived::default()
    };
    identity.apply_derived(&derived, rng, NOW);
    let password = Credential::password(vec![email.to_owned()], "$2a$..", NOW);
    identity.credentials.insert(CredentialType::Password, password);
    identity.refresh_available_aal(crate::domain::factors::FactorRules::default());
    identity
}

async fn on_both<F: Future<Output = ()>>(test: impl Fn(Database, Rng) -> F) {
    database::testing::on_both_engines(&[crate::MIGRATIONS], |database| test(database, Rng::seeded(5))).await;
}

#[tokio::test]
async fn an_identity_is_read_back_as_it_was_written() {
    on_both(|database, rng| async move {
        let master = sealer();
        let sealer = TenantSealer::new(&master, TenantId::DEFAULT);
        let mut ada = person(&rng, "ada@example.org");
        ada.metadata_public = Some(json!({"quote\"": "ä"}));
        ada.external_id = Some("x-1".to_owned());
        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        insert(&mut tx, sealer, &ada).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = database.read(TenantId::DEFAULT);
        assert_eq!(find_whole(&mut tx, sealer, ada.id).await.unwrap().as_ref(), Some(&ada));
        let found = find_by_identifier(&mut tx, sealer, CredentialType::Password, "ada@example.org").await.unwrap();
        assert_eq!(found.as_ref(), Some(&ada));
        let elsewhere = TenantSealer::new(&master, TenantId::from_i32(2));
        assert!(find(&mut database.read(TenantId::from_i32(2)), ada.id).await.unwrap().is_none());
        assert!(
            find_whole(&mut tx, elsewhere, ada.id).await.is_err(),
            "data that is sealed for one tenant cannot be opened for another"
        );
        assert_eq!(find_by_external_id(&mut tx, sealer, "x-1").await.unwrap().unwrap().id, ada.id);
        assert!(find_by_external_id(&mut tx, sealer, "X-1").await.unwrap().is_none());
        let (address, owner) = find_recovery(&mut tx, Via::Email, "ada@example.org").await.unwrap().unwrap();
        assert_eq!((address, owner), (ada.recovery_addresses[0].clone(), ada.id));
        assert!(find_verifiable(&mut tx, Via::Sms, "ada@example.org").await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_taken_identifier_or_address_is_rejected() {
    on_both(|database, rng| async move {
        let master = sealer();
        let sealer = TenantSealer::new(&master, TenantId::DEFAULT);
        let mut ada = person(&rng, "ada@example.org");
        ada.external_id = Some("x-1".to_owned());
        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        insert(&mut tx, sealer, &ada).await.unwrap();
        tx.commit().await.unwrap();

        let double = person(&rng, "ada@example.org");
        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        let refused = insert(&mut tx, sealer, &double).await.unwrap_err();
        assert!(matches!(refused, StoreError::Taken(Taken::Identifier { .. })), "{refused:?}");
        drop(tx);
        let mut same_external = person(&rng, "bob@example.org");
        same_external.external_id = Some("x-1".to_owned());
        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        let refused = insert(&mut tx, sealer, &same_external).await.unwrap_err();
        assert!(matches!(refused, StoreError::Taken(Taken::ExternalId)), "{refused:?}");
        drop(tx);
        let mut eve = person(&rng, "eve@example.org");
        eve.external_id = None;
        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        insert(&mut tx, sealer, &eve).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        let before = lock_whole(&mut tx, sealer, eve.id).await.unwrap().unwrap();
        let after = Identity { external_id: Some("x-1".to_owned()), ..before.clone() };
        let refused = update(&mut tx, sealer, &before, &after).await.unwrap_err();
        assert!(matches!(refused, StoreError::Taken(Taken::ExternalId)), "{refused:?}");
        drop(tx);
        let mut tx = database.read(TenantId::DEFAULT);
        assert_eq!(count(&mut tx).await.unwrap(), 2);
        let bob = find_by_identifier(&mut tx, sealer, CredentialType::Password, "bob@example.org").await.unwrap();
        assert!(bob.is_none(), "a rejected write has no effect");
        let mut tx = database.write(TenantId::from_i32(2)).await.unwrap();
        insert(&mut tx, TenantSealer::new(&master, TenantId::from_i32(2)), &double).await.unwrap();
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_update_writes_the_difference() {
    on_both(|database, rng| async move {
        let master = sealer();
        let sealer = TenantSealer::new(&master, TenantId::DEFAULT);
        let ada = person(&rng, "ada@example.org");
        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        insert(&mut tx, sealer, &ada).await.unwrap();
        tx.commit().await.unwrap();

        let later = NOW.plus(Duration::from_secs(5));
        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        let before = lock_whole(&mut tx, sealer, ada.id).await.unwrap().unwrap();
        let mut after = before.clone();
        let list = vec![(Via::Email, "ada@new.example".to_owned())];
        let derived = Derived { password: vec!["ada@new.example".into()], verifiable: list, ..Derived::default() };
        after.traits = json!({"email": "ada@new.example"});
        after.apply_derived(&derived, &rng, later);
        after.updated_at = later;
        update(&mut tx, sealer, &before, &after).await.unwrap();
        tx.commit().await.unwrap();
        after.version += 1;

        let mut tx = database.read(TenantId::DEFAULT);
        assert_eq!(find_whole(&mut tx, sealer, ada.id).await.unwrap(), Some(after.clone()));
        let old = find_by_identifier(&mut tx, sealer, CredentialType::Password, "ada@example.org").await.unwrap();
        assert!(old.is_none(), "the old name is free");
        assert!(find_recovery(&mut tx, Via::Email, "ada@example.org").await.unwrap().is_none());

        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        assert!(mark_verified(&mut tx, after.verifiable_addresses[0].id, later).await.unwrap());
        assert!(delete(&mut tx, ada.id).await.unwrap());
        assert!(!delete(&mut tx, ada.id).await.unwrap());
        tx.commit().await.unwrap();
        let mut tx = database.read(TenantId::DEFAULT);
        assert!(find_verifiable(&mut tx, Via::Email, "ada@new.example").await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn pages_contain_each_identity_once_with_all_its_parts() {
    on_both(|database, rng| async move {
        let master = sealer();
        let sealer = TenantSealer::new(&master, TenantId::DEFAULT);
        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        let mut people: Vec<_> = (0..5).map(|number| person(&rng, &format!("p{number}@example.org"))).collect();
        for person in &people {
            insert(&mut tx, sealer, person).await.unwrap();
        }
        tx.commit().await.unwrap();
        people.sort_by_key(|person| person.id);
        let mut tx = database.read(TenantId::DEFAULT);
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = list(&mut tx, Some(sealer), &Filter::All, &PageRequest { size: 2, after }).await.unwrap();
            found.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, people);
        let page = PageRequest { size: 10, after: None };
        let similar = list(&mut tx, None, &Filter::IdentifierBeginning("p_".into()), &page).await.unwrap();
        assert!(similar.items.is_empty(), "an underscore is not a wildcard");
    })
    .await;
}

#[tokio::test]
async fn a_search_by_the_beginning_of_an_identifier_returns_each_owner_once() {
    on_both(|database, rng| async move {
        let master = sealer();
        let sealer = TenantSealer::new(&master, TenantId::DEFAULT);
        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        // In a language collation `B` and `ä` sort between `a` and `c`; byte by byte they do not.
        for name in ["anna@a", "anna@b", "anna.x@c", "ann@d", "anoa@e", "Bnna@f", "änna@g"] {
            let mut person = person(&rng, name);
            let handle = |name: &str| vec![format!("{name}#1"), format!("{name}#2")];
            person.credentials.insert(
                CredentialType::Webauthn,
                crate::domain::Credential::empty(CredentialType::Webauthn, handle(name), base::Timestamp::EPOCH),
            );
            insert(&mut tx, sealer, &person).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut tx = database.read(TenantId::DEFAULT);
        let filter = Filter::IdentifierBeginning("anna".into());
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = list(&mut tx, None, &filter, &PageRequest { size: 1, after }).await.unwrap();
            assert!(page.next.as_ref().is_none_or(|key| filter.accepts(key) && !Filter::All.accepts(key)));
            found.extend(page.items.into_iter().map(|it| it.verifiable_addresses[0].value.clone()));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, ["anna.x@c", "anna@a", "anna@b"]);
        let all = PageRequest { size: 10, after: None };
        assert_eq!(
            list(&mut tx, None, &Filter::IdentifierBeginning(String::new()), &all).await.unwrap().items.len(),
            7
        );
    })
    .await;
}

#[tokio::test]
async fn a_stale_write_of_an_identity_changes_nothing() {
    on_both(|database, rng| async move {
        let master = sealer();
        let sealer = TenantSealer::new(&master, TenantId::DEFAULT);
        let ada = person(&rng, "ada@example.org");
        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        insert(&mut tx, sealer, &ada).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        let before = lock_whole(&mut tx, sealer, ada.id).await.unwrap().unwrap();
        assert_eq!(lock_unchanged(&mut tx, &before).await.unwrap(), Unchanged::Yes);
        let renamed =
            |name: &str| Identity { traits: json!({"email": "ada@example.org", "name": name}), ..before.clone() };
        update(&mut tx, sealer, &before, &renamed("first")).await.unwrap();
        assert_eq!(lock_unchanged(&mut tx, &before).await.unwrap(), Unchanged::No);
        tx.commit().await.unwrap();

        // The change, the deletion of a credential and the new state all depend on the version that was read.
        let mut without = before.clone();
        without.credentials.remove(&CredentialType::Password);
        let mut disabled = before.clone();
        disabled.set_state(State::Inactive, NOW);
        for after in [renamed("second"), without, disabled] {
            let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
            assert!(matches!(update(&mut tx, sealer, &before, &after).await, Err(StoreError::Stale)));
        }
        let mut tx = database.read(TenantId::DEFAULT);
        let stored = find_whole(&mut tx, sealer, ada.id).await.unwrap().unwrap();
        assert_eq!((&stored.traits["name"], stored.version), (&json!("first"), 2));
        assert!(stored.is_active() && stored.credential(CredentialType::Password).is_some());
    })
    .await;
}

#[tokio::test]
async fn a_stale_write_of_an_address_does_not_undo_its_verification() {
    on_both(|database, rng| async move {
        let master = sealer();
        let sealer = TenantSealer::new(&master, TenantId::DEFAULT);
        let ada = person(&rng, "ada@example.org");
        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        insert(&mut tx, sealer, &ada).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        let before = lock_whole(&mut tx, sealer, ada.id).await.unwrap().unwrap();
        mark_verified(&mut tx, before.verifiable_addresses[0].id, NOW).await.unwrap();
        let mut after = before.clone();
        after.verifiable_addresses[0].status = crate::domain::AddressStatus::Sent;
        assert!(matches!(update(&mut tx, sealer, &before, &after).await, Err(StoreError::Stale)));
    })
    .await;
}

#[tokio::test]
async fn a_new_hash_is_written_only_if_the_credential_exists() {
    on_both(|database, rng| async move {
        let master = sealer();
        let sealer = TenantSealer::new(&master, TenantId::DEFAULT);
        let ada = person(&rng, "ada@example.org");
        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        insert(&mut tx, sealer, &ada).await.unwrap();
        let password = ada.credential(CredentialType::Password).unwrap().clone();
        let renewed = Credential { config: CredentialConfig::password("$argon2id$.."), ..password };
        assert!(credentials::update_config(&mut tx, sealer, ada.id, &renewed).await.unwrap());
        let mut without = ada.clone();
        without.credentials.remove(&CredentialType::Password);
        update(&mut tx, sealer, &ada, &without).await.unwrap();
        assert!(!credentials::update_config(&mut tx, sealer, ada.id, &renewed).await.unwrap());
        assert!(
            find_whole(&mut tx, sealer, ada.id).await.unwrap().unwrap().credential(CredentialType::Password).is_none()
        );
    })
    .await;
}
