//! Faults of the sample add-on, with the checks that detect them.

use maitre_conformance::{Marketplace, checks};

use super::fault::{Accepts, Fault, Route};

/// A fault, its description, and the id of the check that detects it, without the marketplace.
type Row = (Fault, &'static str, &'static str);

/// Returns the rows of a marketplace: each fault, its description, and the check that detects it.
pub(crate) fn faults(marketplace: Marketplace) -> Vec<(Fault, &'static str, &'static str)> {
    let own = match marketplace {
        Marketplace::DigitalOcean => DIGITALOCEAN,
        Marketplace::CleverCloud => CLEVERCLOUD,
        _ => SCALINGO,
    };
    // a link has its fields in the query
    let applies = |row: &&Row| marketplace != Marketplace::Scalingo || row.0 != Fault::FormInQuery;
    let full = |(fault, description, check): &Row| {
        let id = format!("{marketplace}.{check}");
        let found = checks(marketplace).find(|check| check.id == id).unwrap_or_else(|| panic!("unknown check {id}"));
        (*fault, *description, found.id)
    };
    COMMON.iter().chain(own).filter(applies).map(full).collect()
}

macro_rules! wrong_credentials {
    ($($route:ident: $name:literal, $request:literal;)*) => {&[$(
        (
            Fault::Auth(Route::$route, Accepts::WrongPassword),
            concat!("does not check the password of ", $request),
            concat!("auth.wrong-password-", $name),
        ),
        (
            Fault::Auth(Route::$route, Accepts::WrongUser),
            concat!("does not check the user of ", $request),
            concat!("auth.wrong-user-", $name),
        ),
        (
            Fault::Auth(Route::$route, Accepts::NoCredentials),
            concat!("accepts ", $request, " without an Authorization header"),
            concat!("auth.no-credentials-", $name),
        ),
    )*]};
}

const AUTH: &[Row] = wrong_credentials! {
    Provision: "provision", "a provision";
    PlanChange: "plan-change", "a plan change";
    Deprovision: "deprovision", "a deprovision";
};
const NOTIFICATION_AUTH: &[Row] = wrong_credentials! { Notification: "notification", "a notification"; };
const SCALINGO_AUTH: &[Row] = wrong_credentials! {
    Patch: "patch", "a plan change by PATCH";
    Suspend: "suspend", "a suspension";
    Resume: "resume", "a resumption";
};

const COMMON: &[Row] = &[
    AUTH[0],
    AUTH[1],
    AUTH[2],
    AUTH[3],
    AUTH[4],
    AUTH[5],
    AUTH[6],
    AUTH[7],
    AUTH[8],
    (Fault::RefusesEverything, "answers 401 to the correct password", "auth.right-credentials"),
    (Fault::PasswordInAnyCase, "compares passwords case-insensitively", "auth.similar-password"),
    (Fault::MalformedHeaderIs500, "answers 500 to a malformed Authorization header", "auth.malformed-header"),
    (Fault::NoChallenge, "sends no WWW-Authenticate", "auth.challenge"),
    (Fault::BodyBeforePassword, "parses the body before it checks the password", "auth.before-the-body"),
    (Fault::DeletesBeforePassword, "deletes before it checks the password", "auth.refused-is-not-done"),
    (Fault::ProvisionIs500, "answers 500 to a provision", "provision.succeeds"),
    (Fault::TextBody, "answers a provision with text", "provision.json"),
    (Fault::TextType, "sends JSON as text/plain", "provision.content-type"),
    (Fault::NumericId, "sends a number as id", "provision.id"),
    (Fault::NotFoundLater, "answers 404 to every plan change", "provision.id-works"),
    (Fault::OneIdForAll, "sends the same id for all resources", "provision.ids-differ"),
    (Fault::NumericConfig, "sends a config var that is a number", "provision.config-strings"),
    (Fault::MessageIsAnObject, "sends a message that is an object", "provision.message"),
    (Fault::RefusesDocumentedField, "refuses a documented field", "provision.documented-fields"),
    (Fault::RequiresOptionalField, "requires an optional field", "provision.required-fields-only"),
    (Fault::DeniesUnknownFields, "refuses unknown fields", "provision.unknown-fields"),
    (Fault::ExactContentType, "refuses a content type with a charset", "provision.charset"),
    (Fault::RefusalWithoutReason, "refuses an unknown plan without a message", "provision.unknown-plan"),
    (Fault::PlanOptional, "provisions a default plan if there is none", "provision.missing-plan"),
    (Fault::KeyOptional, "provisions without a required field", "provision.missing-key"),
    (Fault::OneProvisionAtATime, "answers 500 to a second provision while one runs", "provision.many-at-once"),
    (Fault::SecondResource, "creates a second resource for a repeated provision", "idempotency.same-id"),
    (Fault::NewConfig, "creates new credentials for a repeated provision", "idempotency.same-config"),
    (Fault::OtherPlanIsNew, "creates a second resource if the plan differs", "idempotency.other-plan"),
    (Fault::CheckThenInsert, "has a race between two identical provisions", "idempotency.concurrent"),
    (Fault::LostResponseIsStuck, "stays busy if the caller hangs up", "idempotency.lost-response"),
    (Fault::PlanChangeIs500, "answers 500 to a plan change", "plan-change.succeeds"),
    (Fault::ChangeMessageIsANumber, "answers a plan change with a number as message", "plan-change.body"),
    (Fault::SamePlanIs422, "refuses a change to the current plan", "plan-change.same-plan"),
    (Fault::ChangeRefusalWithoutReason, "refuses a plan change without a message", "plan-change.unknown-plan"),
    (
        Fault::ChangeOfUnknownIs422,
        "answers 422 to a plan change of an unknown resource",
        "plan-change.unknown-resource",
    ),
    (Fault::ChangeOfRemovedSucceeds, "changes the plan of a deprovisioned resource", "plan-change.removed-resource"),
    (Fault::ChangeWithoutPlan, "accepts a plan change without a plan", "plan-change.missing-plan"),
    (Fault::ChangeWithoutJsonIs500, "answers 500 to a plan change that is not JSON", "plan-change.no-json"),
    (Fault::ChangeDeniesUnknownFields, "refuses unknown fields of a plan change", "plan-change.unknown-fields"),
    (Fault::ConcurrentChangesAre500, "answers 500 to a plan change while another runs", "plan-change.concurrent"),
    (Fault::DeprovisionIs500, "answers 500 to a deprovision", "deprovision.succeeds"),
    (Fault::RepeatedDeprovisionIs500, "answers 500 to a repeated deprovision", "deprovision.again"),
    (Fault::UnknownDeprovisionIs500, "answers 500 to a deprovision of an unknown resource", "deprovision.unknown"),
    (Fault::DeprovisionWithBodyIs400, "refuses a deprovision with a body", "deprovision.empty-object"),
    (Fault::ChangedStays, "cannot deprovision a resource after a plan change", "deprovision.after-plan-change"),
    (Fault::DeletesAll, "deletes all resources on a deprovision", "deprovision.leaves-others"),
    (Fault::ConcurrentDeletesAre500, "answers 500 to a deprovision while another runs", "deprovision.concurrent"),
    (Fault::RefusesTokens, "refuses valid tokens", "sso-token.lets-in"),
    (Fault::SignOnDeniesUnknownFields, "refuses a sign-on with unknown fields", "sso-token.unknown-fields"),
    (Fault::SignOnIs200, "answers a sign-on with a page", "sso-token.redirects"),
    (Fault::AnyToken, "accepts any token", "sso-token.wrong"),
    (Fault::NoTokenNeeded, "accepts a sign-on without a token", "sso-token.missing"),
    (Fault::EmptyToken, "accepts an empty token", "sso-token.empty"),
    (Fault::PartOfToken, "accepts the beginning of a token", "sso-token.part"),
    (Fault::EmptySalt, "accepts a token signed with an empty salt", "sso-token.other-salt"),
    (Fault::ResourceUnsigned, "accepts the token of another resource", "sso-token.other-resource"),
    (Fault::TimeUnsigned, "accepts a token with another timestamp", "sso-token.other-time"),
    (Fault::SignOnWithoutResourceIs500, "answers 500 to a sign-on without a resource", "sso-token.missing-resource"),
    (Fault::UnknownResourceSignsOn, "opens a dashboard for an unknown resource", "sso-token.unknown-resource"),
    (Fault::RemovedResourceSignsOn, "opens the dashboard of a deprovisioned resource", "sso-token.removed-resource"),
    (Fault::FormInQuery, "reads the form from the query", "sso-token.in-the-query"),
    (Fault::ExpiresLate, "accepts tokens for twice the time", "sso-window.expired"),
    (Fault::NeverExpires, "accepts tokens of any age", "sso-window.a-day-old"),
    (Fault::ExpiresEarly, "accepts tokens for half a minute only", "sso-window.a-minute-old"),
    (Fault::NoClockSkew, "refuses tokens that are seconds in the future", "sso-window.clocks-differ"),
    (Fault::TwoHoursAhead, "accepts tokens that are two hours in the future", "sso-window.an-hour-ahead"),
    (Fault::AnyFuture, "accepts any token in the future", "sso-window.ten-years-ahead"),
    (Fault::NoNumberIs500, "answers 500 to a timestamp that is not a number", "sso-window.no-number"),
    (Fault::ParsesPrefix, "reads the digits before other characters", "sso-window.junk-behind"),
    (Fault::NoTimestampIs500, "answers 500 to a sign-on without a timestamp", "sso-window.no-timestamp"),
    (Fault::ManyUses, "accepts a token many times", "sso-window.one-use"),
    (Fault::CookieForScripts, "sets a cookie that scripts can read", "sso-session.http-only"),
    (Fault::SessionBeforeToken, "opens the session before it checks the token", "sso-session.refused-opens-none"),
    (Fault::KeepsSession, "continues the session of the browser", "sso-session.starts-anew"),
    (Fault::OpenRedirect, "redirects to a field of the sign-on", "sso-session.redirects-at-home"),
    (Fault::NoJsonIs500, "answers 500 to a body that is not JSON", "malformed.no-json"),
    (Fault::EmptyIs500, "answers 500 to an empty body", "malformed.empty"),
    (Fault::ListIs500, "answers 500 to a body that is not an object", "malformed.no-object"),
    (Fault::PlanTypeIs500, "answers 500 to a plan that is not a string", "malformed.plan-type"),
    (Fault::KeyTypeIs500, "answers 500 to a key that is not a string", "malformed.key-type"),
    (Fault::ParametersTypeIs500, "answers 500 to parameters that are not an object", "malformed.parameters-type"),
    (Fault::LargeIs500, "answers 500 to a large body", "malformed.large-body"),
    (Fault::DeepIs500, "answers 500 to deeply nested JSON", "malformed.deep-nesting"),
    (Fault::SendsThePassword, "sends the password in an error", "malformed.no-internals"),
    (Fault::OddIdIs500, "answers 500 to unusual ids", "robustness.odd-ids"),
    (Fault::PostIsPut, "changes a plan by POST", "robustness.other-methods"),
    (Fault::UnknownPathIs200, "answers 200 to unknown paths", "robustness.unknown-path"),
    (Fault::ImpatientReader, "waits for a body for a quarter of a second only", "robustness.slow-caller"),
];

const DIGITALOCEAN: &[Row] = &[
    NOTIFICATION_AUTH[0],
    NOTIFICATION_AUTH[1],
    NOTIFICATION_AUTH[2],
    (Fault::SuspendedIs500, "answers 500 to a suspension", "notifications.suspended"),
    (Fault::ReactivatedIs422, "refuses a reactivation", "notifications.reactivated"),
    (Fault::FailedIs422, "refuses the notification of a failed deprovision", "notifications.deprovisioning-failed"),
    (Fault::UpdatedIs500, "answers 500 to the notification of an update", "notifications.updated"),
    (Fault::BatchIs500, "answers 500 to a batch of several resources", "notifications.batch"),
    (Fault::RepeatedNotificationIs409, "refuses a repeated notification", "notifications.repeated"),
    (Fault::UnknownTypeIs422, "refuses a notification of an unknown type", "notifications.unknown-type"),
    (Fault::UnknownResourceIs500, "answers 500 to a batch with an unknown resource", "notifications.unknown-resource"),
    (Fault::MalformedNotificationIs500, "answers 500 to a malformed notification", "notifications.malformed"),
    (Fault::SuspendedStays, "cannot deprovision a suspended resource", "notifications.suspended-deprovision"),
    (Fault::LowercaseOnly, "compares tokens as text", "sso-token.uppercase"),
    (Fault::OtherOrder, "accepts a token over resource and time in the wrong order", "sso-token.other-order"),
    (Fault::LegacyToken, "accepts the SHA-1 token", "sso-token.sha-1"),
];

const CLEVERCLOUD: &[Row] = &[
    (Fault::StatusIs201, "answers 201 to a provision", "provision.status"),
    (Fault::UnlistedConfig, "sends a config var that the manifest does not list", "provision.config-listed"),
    (Fault::EmailUnsigned, "does not verify the email address", "sso-token.altered-email"),
    (Fault::UserUnsigned, "does not verify the user", "sso-token.altered-user"),
    (Fault::NavDataUnsigned, "does not verify nav-data", "sso-token.altered-nav-data"),
    (Fault::NavDataRequired, "requires nav-data", "sso-token.without-nav-data"),
    (Fault::LegacyDecides, "verifies the legacy token, if there is one", "sso-token.legacy-beside"),
    (Fault::LegacyToken, "accepts the SHA-1 token", "sso-token.sha-1"),
    (Fault::OnlySeconds, "reads timestamps in seconds only", "sso-window.milliseconds"),
    (Fault::OnlyMilliseconds, "reads timestamps in milliseconds only", "sso-window.seconds"),
];

const SCALINGO: &[Row] = &[
    SCALINGO_AUTH[0],
    SCALINGO_AUTH[1],
    SCALINGO_AUTH[2],
    SCALINGO_AUTH[3],
    SCALINGO_AUTH[4],
    SCALINGO_AUTH[5],
    SCALINGO_AUTH[6],
    SCALINGO_AUTH[7],
    SCALINGO_AUTH[8],
    (Fault::LongId, "sends an id of 300 characters", "provision.id-length"),
    (Fault::UnlistedConfig, "sends a config var that the manifest does not list", "provision.config-listed"),
    (Fault::AppIsKey, "takes app and plan as the key", "provision.app-is-no-key"),
    (Fault::NoPatch, "has no route for PATCH", "plan-change.patch"),
    (Fault::ErrorOnly, "sends the reason in error only", "malformed.error-and-message"),
    (Fault::OldLinks, "accepts links for fifty minutes", "sso-window.six-minutes-old"),
    (Fault::NoReferrerPolicy, "sends no Referrer-Policy", "sso-session.no-referrer"),
    (Fault::SuspendIs200, "answers 200 to a suspension", "suspension.suspend"),
    (Fault::ResumeIs200, "answers 200 to a resumption", "suspension.resume"),
    (Fault::SuspendWithBodyIs400, "refuses a suspension with a body", "suspension.empty-object"),
    (Fault::RepeatedSuspensionIs409, "refuses a repeated suspension", "suspension.repeated"),
    (Fault::RepeatedResumptionIs409, "refuses a repeated resumption", "suspension.resumed-again"),
    (Fault::SuspendsUnknown, "suspends resources that do not exist", "suspension.unknown"),
    (Fault::SuspendedStays, "cannot deprovision a suspended resource", "suspension.deprovision"),
    (Fault::SuspensionStopsProvisions, "refuses provisions while a resource is suspended", "suspension.leaves-others"),
];
