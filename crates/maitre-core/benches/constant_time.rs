//! Whether the duration of a comparison reveals how much of a secret was correct.
//!
//! A secret of which all but the last character is correct is compared with one of which only the first is wrong, a
//! million times each and in random order. Welch's t of the durations must stay below 4.5, the limit of dudect (Reparaz,
//! Balasch and Verbauwhede, "Dude, is my code constant time?"). A comparison that stops at the first difference shows
//! that the measurement is sensitive enough.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use maitre_core::sso::{SignedFields, Window};
use maitre_core::{Credentials, Salt, SharedSecret};
use time::OffsetDateTime;

const SAMPLES: usize = 1_000_000;
const LIMIT: f64 = 4.5;
const SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const TIMESTAMP: &str = "1772000000";

fn main() -> ExitCode {
    let now = OffsetDateTime::from_unix_timestamp(1_772_000_000).expect("a time");
    let credentials = Credentials::new("lantern", SECRET, "salt").expect("credentials");
    let shared = SharedSecret::new(SECRET).expect("a secret");
    let salts = [Salt::new(SECRET).expect("a salt")];
    let fields = SignedFields::User { resource_id: "7b0c9c1e", user_id: "c4b1f2d0", email: "ada@example.org" };
    let token = fields.sign(&salts[0], TIMESTAMP);

    println!("Welch's t, correct prefix against wrong prefix, {SAMPLES} samples per class, limit {LIMIT}");
    println!("{:34} {:>8} {:>24}", "", "all", "fastest 90 % of samples");
    let constant = [
        report("Basic password", SECRET, |sent| credentials.verify("lantern", sent, now)),
        report("shared secret", SECRET, |sent| shared.verify(sent, now)),
        report("sign-on token", &token, |sent| fields.verify(sent, TIMESTAMP, &salts, Window::default(), now).is_ok()),
    ];
    let control =
        report("control: stops at a difference", SECRET, |sent| stops_early(sent.as_bytes(), SECRET.as_bytes()));
    if constant.iter().any(|t| *t >= LIMIT) {
        eprintln!("a duration depends on the secret");
        return ExitCode::FAILURE;
    }
    if control < LIMIT {
        eprintln!("the control was not detected: run it again on a quiet machine");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Measures and prints. Returns the greater of the two absolute values of t.
fn report(name: &str, secret: &str, verify: impl Fn(&str) -> bool) -> f64 {
    let mut durations = measure(secret, verify);
    let all = welch(&durations).abs();
    let mut sorted: Vec<f64> = durations.iter().flatten().copied().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let limit = sorted[sorted.len() / 10 * 9];
    for class in &mut durations {
        class.retain(|duration| *duration <= limit);
    }
    let fast = welch(&durations).abs();
    println!("{name:34} {all:>8.2} {fast:>24.2}");
    all.max(fast)
}

/// Returns the durations in nanoseconds of both classes.
fn measure(secret: &str, verify: impl Fn(&str) -> bool) -> [Vec<f64>; 2] {
    let other = |correct: u8| if correct == b'x' { b'y' } else { b'x' };
    let classes = [secret.len() - 1, 0].map(|place| {
        let mut bytes = secret.as_bytes().to_vec();
        bytes[place] = other(bytes[place]);
        String::from_utf8(bytes).expect("the secret is ASCII")
    });
    let mut random = fastrand::Rng::with_seed(7);
    let mut durations = [Vec::with_capacity(SAMPLES), Vec::with_capacity(SAMPLES)];
    let mut sent = String::with_capacity(secret.len());
    let mut warm_up = SAMPLES / 20;
    while durations.iter().any(|class| class.len() < SAMPLES) {
        let class = random.usize(..2);
        // both classes are read from the same memory
        sent.clear();
        sent.push_str(black_box(&classes[class]));
        let start = Instant::now();
        let accepted = verify(black_box(&sent));
        let nanoseconds = start.elapsed().as_nanos();
        assert!(!black_box(accepted), "neither class is correct");
        if warm_up > 0 {
            warm_up -= 1;
        } else if durations[class].len() < SAMPLES {
            durations[class].push(f64::from(u32::try_from(nanoseconds).unwrap_or(u32::MAX)));
        }
    }
    durations
}

#[expect(clippy::cast_precision_loss, reason = "the number of samples is small")]
fn welch(classes: &[Vec<f64>; 2]) -> f64 {
    let [(mean, error), (other_mean, other_error)] = classes.each_ref().map(|class| {
        let count = class.len() as f64;
        let mean = class.iter().sum::<f64>() / count;
        let variance = class.iter().map(|duration| (duration - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    (mean - other_mean) / (error + other_error).sqrt()
}

#[inline(never)]
fn stops_early(sent: &[u8], secret: &[u8]) -> bool {
    sent.len() == secret.len() && sent.iter().zip(secret).all(|(one, other)| black_box(one) == other)
}
