//! Single sign-on forms: only genuine ones are accepted.

use maitre::Heroku;
use maitre_testkit::sign;
use proptest::prelude::*;

use super::{TestRouter, check, escaped};
use crate::support::{NOW, SALT, SLUG, UUID};

/// Fields of a genuine form; `tokens` says which of the three tokens it contains, strongest first.
#[derive(Clone, Debug)]
struct Genuine {
    resource: String,
    id: String,
    user: String,
    email: String,
    age: i64,
    tokens: [bool; 3],
}

const NAMES: [&str; 3] = ["user_scoped_resource_token", "resource_token", "token"];

impl Genuine {
    fn fields(&self) -> Vec<(String, String)> {
        let Self { resource, id, user, email, age, tokens } = self;
        let at = (NOW - age).to_string();
        let signed = [
            sign::user_scoped_resource_token(resource, SALT, &at, user, email),
            sign::resource_token(resource, SALT, &at),
            sign::token(id, SALT, &at),
        ];
        let mut fields: Vec<(String, String)> = [
            ("resource_id", resource),
            ("id", id),
            ("user_id", user),
            ("email", email),
            ("timestamp", &at),
            ("app", &"an-app".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .to_vec();
        for place in 0..3 {
            if tokens[place] {
                fields.push((NAMES[place].to_owned(), signed[place].clone()));
            }
        }
        fields
    }

    /// Returns the index of the strongest token of the form, the only one that is checked.
    fn checked_token(&self) -> usize {
        self.tokens.iter().position(|there| *there).unwrap_or_default()
    }

    /// Returns the names of the checked token and of the fields that it signs.
    fn signed_names(&self) -> &'static [&'static str] {
        match self.checked_token() {
            0 => &["resource_id", "user_id", "email", "timestamp", "user_scoped_resource_token"],
            1 => &["resource_id", "timestamp", "resource_token"],
            _ => &["id", "timestamp", "token"],
        }
    }
}

fn genuine() -> impl Strategy<Value = Genuine> {
    let tokens = proptest::sample::select(vec![
        [true, true, true],
        [true, false, false],
        [true, false, true],
        [false, true, true],
        [false, true, false],
        [false, false, true],
    ]);
    let (id, user, email) = ("[a-z0-9:@./ -]{1,20}", "[a-z0-9-]{1,36}", "\\PC{1,30}");
    (id, id, user, email, -60..=300_i64, tokens).prop_map(|(resource, id, user, email, age, tokens)| Genuine {
        resource,
        id,
        user,
        email,
        age,
        tokens,
    })
}

/// Change of a genuine form.
#[derive(Clone, Debug)]
enum Change {
    Nothing,
    /// Reorders fields and adds unsigned ones.
    Harmless(u64, String),
    /// Corrupts a token that is present but not checked.
    Weaker,
    /// Changes one character of a signed value.
    Altered(prop::sample::Index, prop::sample::Index, char),
    Removed(prop::sample::Index),
    Emptied(prop::sample::Index),
    Doubled(prop::sample::Index),
    Capitals,
    TooOld(i64),
    TooEarly(i64),
    NoTokenAtAll,
    OtherSalt(String),
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        2 => Just(Change::Nothing),
        2 => (any::<u64>(), ".{0,10}").prop_map(|(seed, text)| Change::Harmless(seed, text)),
        1 => Just(Change::Weaker),
        4 => (index(), index(), any::<char>()).prop_map(|(field, place, c)| Change::Altered(field, place, c)),
        1 => index().prop_map(Change::Removed),
        1 => index().prop_map(Change::Emptied),
        1 => index().prop_map(Change::Doubled),
        1 => Just(Change::Capitals),
        1 => prop_oneof![Just(301), 301..i64::MAX / 2].prop_map(Change::TooOld),
        1 => prop_oneof![Just(61), 61..i64::MAX / 2].prop_map(Change::TooEarly),
        1 => Just(Change::NoTokenAtAll),
        1 => "\\PC{1,20}".prop_map(Change::OtherSalt),
    ]
}

/// Returns the changed form and whether it is still valid.
fn changed(form: &Genuine, change: &Change) -> (Vec<(String, String)>, bool) {
    let mut fields = form.fields();
    let place_of =
        |fields: &[(String, String)], name: &str| fields.iter().position(|(there, _)| there == name).expect("there");
    let signed_names = form.signed_names();
    let checked_token = NAMES[form.checked_token()];
    match change {
        Change::Nothing => (fields, true),
        Change::Harmless(seed, text) => {
            let turn = usize::try_from(seed % fields.len() as u64).expect("small");
            fields.rotate_left(turn);
            fields.push(("context_app".into(), text.clone()));
            fields.insert(0, ("nav-data".into(), text.clone()));
            (fields, true)
        }
        Change::Weaker => {
            let weaker = NAMES.iter().skip(form.checked_token() + 1);
            for name in weaker {
                fields.retain(|(there, _)| there != name);
                fields.push(((*name).to_owned(), "0".to_owned()));
            }
            (fields, true)
        }
        Change::Altered(field, place, c) => {
            let field = place_of(&fields, signed_names[field.index(signed_names.len())]);
            let mut chars: Vec<char> = fields[field].1.chars().collect();
            let place = place.index(chars.len());
            let same = chars[place] == *c;
            chars[place] = *c;
            fields[field].1 = chars.into_iter().collect();
            (fields, same)
        }
        Change::Removed(field) => {
            let field = place_of(&fields, signed_names[field.index(signed_names.len() - 1)]);
            fields.remove(field);
            (fields, false)
        }
        Change::Emptied(field) => {
            let field = place_of(&fields, signed_names[field.index(signed_names.len())]);
            fields[field].1.clear();
            (fields, false)
        }
        Change::Doubled(field) => {
            let field = place_of(&fields, signed_names[field.index(signed_names.len())]);
            fields.push(fields[field].clone());
            (fields, false)
        }
        Change::Capitals => {
            let field = place_of(&fields, checked_token);
            let capitals = fields[field].1.to_uppercase();
            let same = capitals == fields[field].1;
            fields[field].1 = capitals;
            (fields, same)
        }
        Change::TooOld(age) => (Genuine { age: *age, ..form.clone() }.fields(), false),
        Change::TooEarly(ahead) => (Genuine { age: -ahead, ..form.clone() }.fields(), false),
        Change::NoTokenAtAll => {
            fields.retain(|(name, _)| !NAMES.contains(&name.as_str()));
            (fields, false)
        }
        Change::OtherSalt(salt) => {
            let at = (NOW - form.age).to_string();
            let field = place_of(&fields, checked_token);
            fields[field].1 = match form.checked_token() {
                0 => sign::user_scoped_resource_token(&form.resource, salt, &at, &form.user, &form.email),
                1 => sign::resource_token(&form.resource, salt, &at),
                _ => sign::token(&form.id, salt, &at),
            };
            (fields, salt == SALT)
        }
    }
}

#[test]
fn only_genuine_forms_sign_in() {
    let router = TestRouter::new(Heroku::new(SLUG, "password", SALT).unwrap().with_legacy_token(true));
    let (mut accepted, mut rejected) = (0, 0);
    check((genuine(), change()), |(form, change)| {
        let (fields, good) = changed(&form, &change);
        let counted = if good { &mut accepted } else { &mut rejected };
        *counted += 1;
        prop_assert_eq!(router.sign_on(&fields).as_u16(), if good { 302 } else { 403 });
        Ok(())
    });
    assert!(accepted > 1_000 && rejected > 1_000, "enough valid and invalid forms: {accepted}, {rejected}");
    assert_eq!(router.vendor.calls(), accepted);
}

#[test]
fn arbitrary_forms_do_not_sign_in() {
    let router = TestRouter::new(Heroku::new(SLUG, "password", SALT).unwrap().with_legacy_token(true));
    let names = proptest::sample::select(
        vec!["resource_id", "id", "user_id", "email", "timestamp", "nav-data", "x"]
            .into_iter()
            .chain(NAMES)
            .collect::<Vec<_>>(),
    );
    let values = prop_oneof![
        ".{0,20}".boxed(),
        "[0-9a-f]{40}".boxed(),
        "[0-9a-f]{64}".boxed(),
        Just(NOW.to_string()).boxed(),
        any::<i64>().prop_map(|number| number.to_string()).boxed(),
        Just(UUID.to_owned()).boxed(),
        Just(String::new()).boxed(),
    ];
    let fields = proptest::collection::vec((names, values), 0..14).prop_map(|fields| {
        let fields = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
        fields.collect::<Vec<_>>().join("&").into_bytes()
    });
    let bytes = proptest::collection::vec(any::<u8>(), 0..300);
    check(prop_oneof![3 => fields, 1 => bytes], |body| {
        prop_assert_eq!(router.post_form(body.into()).as_u16(), 403);
        Ok(())
    });
    assert_eq!(router.vendor.calls(), 0);
}
