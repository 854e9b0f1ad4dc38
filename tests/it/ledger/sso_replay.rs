//! Replay protection of single sign-on: a token is accepted once, in any process and any variant of the form.

use std::time::Duration;

use maitre_core::sso::TokenKind;
use maitre_core::{Backend, FailureKind, Identity};

use super::support::{Database, Vendor, basic, key, replies, short_or_long, sign_on};

const ISSUED_AT: i64 = 1_772_000_000;

on_both_databases! {
    async fn a_form_signs_in_once_in_any_variant_and_process(database: Database) {
        let processes = [database.ledger().await, database.open().await, database.open().await];
        let vendor = Vendor::new(database.pool().await).await;
        for round in 0..short_or_long(2, 20) {
            let key = key();
            processes[0].wrap(vendor.clone()).provision(basic(&key)).await.expect("a widget");
            let kinds = [TokenKind::User, TokenKind::Resource, TokenKind::Legacy];
            let calls = (0..1000usize).map(|number| {
                let listener = processes[number % 3].wrap(vendor.clone());
                let request = sign_on(&key, kinds[(number / 3 + round) % 3], ISSUED_AT);
                async move { listener.single_sign_on(request).await }
            });
            let answers = replies(calls.collect::<Vec<_>>()).await;
            assert_eq!(answers.iter().filter(|answer| answer.is_done()).count(), 1);
            assert_eq!(vendor.calls(&key).await.len(), 2, "the listener is not called for the others");
        }
    }

    async fn a_form_used_in_one_variant_is_rejected_in_every_other(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let kinds = [TokenKind::User, TokenKind::Resource, TokenKind::Legacy];
        for first in kinds {
            let key = key();
            listener.provision(basic(&key)).await.expect("a widget");
            listener.single_sign_on(sign_on(&key, first, ISSUED_AT)).await.expect("the first time");
            for then in kinds {
                let failure = listener.single_sign_on(sign_on(&key, then, ISSUED_AT)).await.expect_err("the second time");
                assert_eq!(failure.kind(), FailureKind::Refused, "{first:?}, then {then:?}");
            }
        }
    }

    async fn other_users_and_other_seconds_have_separate_tokens(database: Database) {
        let ledger = database.ledger().await;
        let listener = ledger.wrap(Vendor::new(database.pool().await).await);
        let key = key();
        listener.provision(basic(&key)).await.expect("a widget");
        let ada = sign_on(&key, TokenKind::User, ISSUED_AT);
        let mut bob = ada.clone();
        bob.identity = Identity::verified("d5c2a3e1", "bob@example.org");
        listener.single_sign_on(ada).await.expect("ada");
        listener.single_sign_on(bob).await.expect("bob, in the same second");
        listener.single_sign_on(sign_on(&key, TokenKind::User, ISSUED_AT + 1)).await.expect("ada, a second later");
    }

    async fn changed_unsigned_fields_do_not_make_a_new_token(database: Database) {
        let ledger = database.ledger().await;
        let listener = ledger.wrap(Vendor::new(database.pool().await).await);
        let key = key();
        let id =
            listener.provision(basic(&key)).await.expect("a widget").done().expect("a reply").id().as_str().to_owned();
        let form = sign_on(&key, TokenKind::Resource, ISSUED_AT);
        listener.single_sign_on(form.clone()).await.expect("the first time");
        let mut altered = form.clone();
        altered.identity = Identity::claimed(Some("d5c2a3e1".into()), None);
        altered.app = Some("another".into());
        altered.nav_data = Some("x".into());
        altered.extra.insert("x".into(), "y".into());
        let by_name = sign_on(&id, TokenKind::Resource, ISSUED_AT);
        for again in [form, altered, by_name] {
            let failure = listener.single_sign_on(again).await.expect_err("the second time");
            assert_eq!(failure.kind(), FailureKind::Refused);
        }
    }

    async fn used_tokens_are_kept_until_their_window_has_passed(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        ledger.wrap(vendor.clone()).provision(basic(&key)).await.expect("a widget");
        let form = sign_on(&key, TokenKind::User, ISSUED_AT);
        ledger.wrap(vendor.clone()).single_sign_on(form.clone()).await.expect("the first time");
        let later = database.options().clock_offset(Duration::from_secs(350)).open().await.unwrap();
        let failure = later.wrap(vendor.clone()).single_sign_on(form.clone()).await.expect_err("within the window");
        assert_eq!(failure.kind(), FailureKind::Refused);
        let after = database.options().clock_offset(Duration::from_secs(400)).open().await.unwrap();
        after
            .wrap(vendor.clone())
            .single_sign_on(form)
            .await
            .expect("after the window, only the router's check rejects the token");
    }
}
