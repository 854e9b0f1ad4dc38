//! Faults of the sample add-on, and the check that detects each one.

macro_rules! faults {
    ($($name:ident: $wrong:literal => $check:literal,)*) => {
        /// Fault of a sample add-on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Fault {
            /// No fault.
            Nothing,
            $($name,)*
        }

        /// Every fault, the resulting behavior, and the check that must detect it.
        pub(crate) const MUTANTS: &[(Fault, &str, &str)] = &[$((Fault::$name, $wrong, $check),)*];
    };
}

faults! {
    // authentication
    RefusesEveryone: "compares the header with one that contains a line break, and refuses every request" => "heroku.auth.right-credentials",
    WrongPasswordIs403: "answers 403 to a wrong password" => "heroku.auth.wrong-password-provision",
    ProvisionIsOpen: "does not check credentials of a provision" => "heroku.auth.wrong-password-provision",
    PlanChangeIsOpen: "does not check credentials of a plan change" => "heroku.auth.wrong-password-plan-change",
    DeprovisionIsOpen: "does not check credentials of a deprovision" => "heroku.auth.wrong-password-deprovision",
    AnyUser: "compares only the password, not the user" => "heroku.auth.wrong-user",
    AnyUserOnPlanChange: "compares only the password of a plan change, not the user" => "heroku.auth.wrong-user-plan-change",
    AnyUserOnDeprovision: "compares only the password of a deprovision, not the user" => "heroku.auth.wrong-user-deprovision",
    BeginningOfPassword: "accepts the beginning of the password" => "heroku.auth.similar-password",
    LongerPassword: "accepts anything that begins with the password" => "heroku.auth.similar-password",
    PasswordInAnyCase: "compares passwords case-insensitively" => "heroku.auth.similar-password",
    NoHeaderIs500: "answers 500 without Authorization header" => "heroku.auth.no-credentials-401",
    NoHeaderLetsIn: "accepts a request without an Authorization header" => "heroku.auth.no-credentials",
    NoHeaderIs403: "answers 403 without an Authorization header" => "heroku.auth.no-credentials-401",
    EmptyPassword: "accepts an empty password" => "heroku.auth.empty-credentials",
    AnyScheme: "accepts credentials with any scheme" => "heroku.auth.other-scheme",
    NoScheme: "accepts credentials without a scheme" => "heroku.auth.other-scheme",
    LenientBase64: "ignores characters that are not base64" => "heroku.auth.strict-base64",
    CaseSensitiveScheme: "only accepts the scheme in the form Basic" => "heroku.auth.scheme-in-any-case",
    NoChallenge: "sends no WWW-Authenticate" => "heroku.auth.challenge",
    PlanBeforePassword: "checks the plan before the password" => "heroku.auth.before-the-plan",
    BodyBeforePassword: "parses the body before it checks the password" => "heroku.auth.before-the-body",
    ResourceBeforePassword: "answers 404 before it checks the password" => "heroku.auth.before-the-resource",
    DeprovisionsBeforePassword: "deprovisions before it checks the password" => "heroku.auth.refused-is-not-done",

    // provision
    ProvisionIs500: "fails on every provision" => "heroku.provision.succeeds",
    ProvisionIs204: "answers 204 to a provision" => "heroku.provision.succeeds",
    ProvisionRedirects: "redirects a provision to another path" => "heroku.provision.succeeds",
    ProvisionIs201: "answers 201 to a provision" => "heroku.provision.status",
    NotJson: "answers a provision with the word OK" => "heroku.provision.json",
    JsonText: "answers a provision with a JSON string" => "heroku.provision.json",
    HtmlType: "sends JSON as text/html" => "heroku.provision.content-type",
    NoContentType: "sends no content type" => "heroku.provision.content-type",
    NoId: "sends no id" => "heroku.provision.id",
    EmptyId: "sends an empty id" => "heroku.provision.id",
    IdIsAnObject: "sends an object as id" => "heroku.provision.id",
    OnlyDecimalIds: "only finds resources by decimal ids, but sends the uuid" => "heroku.provision.id-works",
    OneIdForAll: "sends the same id to every customer" => "heroku.provision.ids-differ",
    ReusesIds: "gives the id of a deprovisioned resource to the next one" => "heroku.provision.ids-stay-unique",
    IdIsTheName: "uses Heroku's name of the resource as id" => "heroku.provision.id-of-its-own",
    IdHoldsTheGrant: "derives the id from the grant's code" => "heroku.provision.id-of-its-own",
    IdOfItsOwn: "generates an id" => "heroku.provision.id-is-the-uuid",
    MessageIsAList: "sends a list as message" => "heroku.provision.message",
    NoDrainUrl: "requires syslog_drain but sends no log_drain_url" => "heroku.provision.log-drain-url",
    DrainUrlOverTls: "sends a log_drain_url with a scheme unknown to Heroku" => "heroku.provision.log-drain-url",
    OnlyKnownFields: "refuses a provision with an unknown field" => "heroku.provision.unknown-fields",
    NeedsGrant: "refuses a provision without a grant" => "heroku.provision.no-grant",
    StrictTimes: "only accepts RFC 3339 timestamps" => "heroku.provision.grant-times",
    NeedsName: "refuses a provision without a name" => "heroku.provision.version-1",
    OnlyKnownOptions: "refuses unknown options" => "heroku.provision.options",
    NegotiatesAccept: "answers 406 if another type is accepted" => "heroku.provision.any-accept",
    ExactContentType: "answers 415 to a content type with a charset" => "heroku.provision.content-type-parameters",
    OneRegion: "answers 500 to another region" => "heroku.provision.other-region",
    RefusesWith400: "refuses an unknown plan with 400" => "heroku.provision.refusal",
    RefusesWithError: "refuses an unknown plan with 422 and the reason in another field" => "heroku.provision.refusal",
    RefusesWithoutMessage: "refuses an unknown plan with 422 and no message" => "heroku.provision.refusal",
    Slow: "takes more than three seconds for a provision" => "heroku.provision.prompt",
    NeverAnswers: "never answers a provision" => "heroku.provision.succeeds",

    NeedsVersion3: "refuses a provision without a grant, although its manifest has no version" => "heroku.provision.succeeds",
    IdHoldsTheApp: "derives the id from heroku_id, as its manifest has no version" => "heroku.provision.id-of-its-own",

    // config vars
    ConfigIsAList: "sends a list as config" => "heroku.config.object",
    NumberInConfig: "sends a number as config var" => "heroku.config.object",
    NullInConfig: "sends null as config var" => "heroku.config.object",
    UnlistedConfig: "sets a config var that the manifest does not list" => "heroku.config.listed",
    UrlWithoutScheme: "sets a _URL without a scheme" => "heroku.config.urls",
    UrlWithoutHost: "sets a _URL without a host" => "heroku.config.urls",
    LargeConfig: "sets a config var of 70,000 bytes" => "heroku.config.size",
    NulInConfig: "sets a config var with U+0000" => "heroku.config.no-nul",
    LocalUrl: "sets a _URL of localhost in production" => "heroku.config.public-urls",
    IncompleteConfig: "omits a config var listed in the manifest" => "heroku.config.complete",
    UnlistedAfterPlanChange: "sets an unlisted config var on plan change" => "heroku.config.plan-change",
    OneSecretForAll: "gives every customer the same token" => "heroku.config.apart",

    // idempotency
    SecondResource: "creates a resource for every POST" => "heroku.idempotency.same-uuid-again",
    Conflict: "answers 409 to a known uuid" => "heroku.idempotency.same-uuid-again",
    CrashOnDuplicate: "answers 500 to a known uuid" => "heroku.idempotency.same-uuid-again",
    SecondTenant: "creates a tenant for every POST, under the same id" => "heroku.idempotency.same-config",
    RowPerPost: "stores a row for every POST, and deletes one row for every DELETE" => "heroku.idempotency.removed-once",
    OtherMessage: "sends another message for a known uuid" => "heroku.idempotency.same-message",
    NoConstraint: "checks whether a uuid is known and stores it later" => "heroku.idempotency.at-once",
    BusyDuplicates: "answers 500 during the provision of the same uuid" => "heroku.idempotency.at-once-succeeds",
    StuckReservation: "reserves the uuid, and does not release it when the caller hangs up" => "heroku.idempotency.lost-reply",
    Resurrects: "recreates a deprovisioned uuid" => "heroku.idempotency.stays-removed",
    RemovedIs500: "answers 500 to a deprovisioned uuid" => "heroku.idempotency.stays-removed",
    RemovedIs404: "answers 404 to a provision of a deprovisioned uuid" => "heroku.idempotency.removed-410",
    OtherPlanIsAnother: "creates a second resource if the plan differs" => "heroku.idempotency.other-plan",
    WholeBodyIsTheKey: "refuses a known uuid with a newer grant" => "heroku.idempotency.newer-grant",
    CurrentPlanIsTheKey: "refuses the first provision after a plan change" => "heroku.idempotency.after-plan-change",

    // plan change
    PlanChangeIs500: "fails on every plan change" => "heroku.plan-change.succeeds",
    PlanChangeIs503: "answers 503 to every plan change" => "heroku.plan-change.succeeds",
    PlanChangeIs400: "refuses a plan change with 400" => "heroku.plan-change.succeeds",
    PlanChangeIsText: "answers a plan change with the word OK" => "heroku.plan-change.json",
    SamePlanIsRefused: "refuses a change to the current plan" => "heroku.plan-change.same-plan",
    SameChangeIsConflict: "answers 409 to a repeated plan change" => "heroku.plan-change.again",
    NoWayBack: "answers 500 to a change back to the first plan" => "heroku.plan-change.and-back",
    PlanChangeChangesId: "sends another id in the response to a plan change" => "heroku.plan-change.id-stays",
    UnknownPlanIs500: "answers 500 to an unknown plan" => "heroku.plan-change.refusal",
    RefusedChangeRemoves: "deprovisions the resource whose plan change it refuses" => "heroku.plan-change.refused-is-harmless",
    KnownFieldsOfPlanChange: "refuses a plan change with an unknown field" => "heroku.plan-change.unknown-fields",
    ByBody: "finds the resource by the uuid in the body" => "heroku.plan-change.by-path",
    UnknownPlanChangeIsDone: "answers 200 to a plan change of an unknown resource" => "heroku.plan-change.unknown-resource",
    UnknownPlanChangeIs500: "answers 500 to a plan change of an unknown resource" => "heroku.plan-change.unknown-resource",
    UnknownPlanChangeIs422: "answers 422 to a plan change of an unknown resource" => "heroku.plan-change.unknown-404",
    RemovedPlanChangeIsDone: "answers 200 to a plan change of a deprovisioned resource" => "heroku.plan-change.removed",

    // deprovision
    DeprovisionIs500: "fails on every deprovision" => "heroku.deprovision.succeeds",
    NoDeleteRoute: "has no route for deprovisions" => "heroku.deprovision.succeeds",
    DeprovisionNeedsType: "answers 415 to a DELETE without a content type" => "heroku.deprovision.succeeds",
    DeprovisionIs200: "answers 200 to a deprovision" => "heroku.deprovision.status",
    SecondDeprovisionIs500: "answers 500 to the second deprovision" => "heroku.deprovision.again",
    UnknownDeprovisionIs422: "answers 422 to a deprovision of an unknown resource" => "heroku.deprovision.unknown",
    DeprovisionsCollide: "answers 500 to concurrent deprovisions" => "heroku.deprovision.at-once",
    RemovesAll: "deletes all resources on the first deprovision" => "heroku.deprovision.leaves-others",
    ChangedStays: "cannot deprovision a resource after a plan change" => "heroku.deprovision.after-plan-change",

    // tokens
    SignOnIsGuarded: "requires the password for single sign-on" => "heroku.sso-token.lets-in",
    OwnClock: "hashes its own clock in place of the form's timestamp" => "heroku.sso-token.lets-in",
    FormIsNotParsed: "does not parse the form" => "heroku.sso-token.lets-in",
    DashboardIs500: "redirects to a page that answers 500" => "heroku.sso-token.lets-in",
    PlusIsASpace: "hashes the email address with a space instead of the plus" => "heroku.sso-token.lets-in",
    StrictCookie: "sets a SameSite=Strict cookie" => "heroku.sso-token.lets-in",
    LostSession: "redirects without opening a session" => "heroku.sso-token.lets-in",
    NoSignOnByGet: "has no single sign-on by GET, although its manifest has plain URLs" => "heroku.sso-token.lets-in",
    NoUserScoped: "does not support the SHA-256 token" => "heroku.sso-token.user-scoped",
    NoResourceToken: "does not accept the SHA-1 token on its own" => "heroku.sso-token.resource",
    NoVersion1: "does not accept the token of version 1" => "heroku.sso-token.version-1",
    KnownFieldsOfTheForm: "refuses a form with an unknown field" => "heroku.sso-token.unknown-fields",
    AnyToken: "does not check tokens" => "heroku.sso-token.wrong",
    AnyTokenByGet: "does not check tokens in single sign-on by GET" => "heroku.sso-token.wrong",
    RedirectsTheRefused: "redirects to the front page without a valid token" => "heroku.sso-token.wrong",
    NoTokenLetsIn: "accepts a form without a token" => "heroku.sso-token.missing",
    EmptyTokenLetsIn: "accepts an empty token" => "heroku.sso-token.empty",
    BeginningOfToken: "only compares the sent part of a token" => "heroku.sso-token.part",
    EmptySalt: "accepts tokens signed with an empty salt, too" => "heroku.sso-token.other-salt",
    PasswordIsASalt: "accepts tokens signed with the password, too" => "heroku.sso-token.other-salt",
    TokenOfAny: "accepts the token of any resource" => "heroku.sso-token.other-resource",
    TimeIsNotSigned: "accepts a recent token with any timestamp" => "heroku.sso-token.other-time",
    FallsBack: "accepts the SHA-1 token if the SHA-256 token is wrong" => "heroku.sso-token.strongest-decides",
    EmailIsNotCovered: "only checks the SHA-1 token" => "heroku.sso-token.altered-email",
    UserIsNotCovered: "only checks the SHA-1 token for an unusual user" => "heroku.sso-token.altered-user",
    FormInTheQuery: "also reads the form from the query" => "heroku.sso-token.in-the-query",
    UnknownLetsIn: "opens the dashboard of an unknown resource" => "heroku.sso-token.unknown-resource",
    RemovedLetsIn: "opens the dashboard of a deprovisioned resource" => "heroku.sso-token.removed-resource",

    // validity of tokens
    NoAge: "does not check the timestamp" => "heroku.sso-window.six-minutes-old",
    AgeWithinADay: "computes the age without its days" => "heroku.sso-window.a-day-old",
    NarrowWindow: "only accepts tokens of the last half minute" => "heroku.sso-window.a-minute-old",
    NoSkew: "does not allow clock skew" => "heroku.sso-window.clocks-differ",
    FutureLetsIn: "only checks the age, which is negative for the future" => "heroku.sso-window.an-hour-ahead",
    FarFutureLetsIn: "refuses the next year but accepts later times" => "heroku.sso-window.ten-years-ahead",
    NoNumberIs500: "answers 500 to a timestamp that is not a number" => "heroku.sso-window.no-number",
    NoNumberIsNow: "treats a timestamp that is not a number as the current time" => "heroku.sso-window.no-number",
    JunkBehind: "parses a numeric prefix of a timestamp" => "heroku.sso-window.junk-behind",
    NoTimestampIs500: "answers 500 without timestamp" => "heroku.sso-window.no-timestamp",
    Replay: "accepts a form any number of times" => "heroku.sso-window.one-use",
    ReplayStripped: "does not store the weaker tokens of a used form" => "heroku.sso-window.one-use-stripped",
    ReplayLater: "only stores a used form for a minute" => "heroku.sso-window.one-use-lasts",

    // session
    ScriptCookie: "sets a cookie that scripts can read" => "heroku.sso-session.http-only",
    KeepsSession: "continues with the session of the browser" => "heroku.sso-session.starts-anew",
    SessionForAll: "opens the session before it checks the token" => "heroku.sso-session.refused-opens-none",
    OpenRedirect: "redirects to a URL in the form" => "heroku.sso-session.redirects-at-home",
    BackslashRedirect: "treats a path with a backslash as local" => "heroku.sso-session.redirects-at-home",
    HeaderInjection: "writes nav-data into the header unchanged" => "heroku.sso-session.no-header-injection",
    NavDataHere: "sets the nav-data cookie for one path" => "heroku.sso-session.nav-data",

    // malformed requests
    BadJsonIs500: "answers 500 to a body that is not JSON" => "heroku.malformed.no-json",
    EmptyIs500: "answers 500 to an empty body" => "heroku.malformed.empty",
    ListIs500: "answers 500 to a body that is a list" => "heroku.malformed.no-object",
    NoUuidIsTaken: "provisions without a uuid" => "heroku.malformed.no-uuid",
    OddUuidIs500: "answers 500 to an invalid uuid" => "heroku.malformed.odd-uuid",
    NoPlanIsTaken: "provisions without a plan" => "heroku.malformed.no-plan",
    TypesAre500: "answers 500 to options that are not an object" => "heroku.malformed.field-types",
    NulIs500: "answers 500 to a NUL" => "heroku.malformed.odd-characters",
    DeepIs500: "answers 500 to deep nesting" => "heroku.malformed.deep-nesting",
    LargeIs500: "answers 500 to a large body" => "heroku.malformed.large-body",
    LargeUnauthenticatedIs500: "answers 500 to a large unauthenticated body" => "heroku.malformed.large-unauthenticated-body",
    OddHeaderIs500: "answers 500 to credentials that are not base64" => "heroku.malformed.authorization",
    OddPlanChangeIs500: "answers 500 to a plan change that is not JSON" => "heroku.malformed.plan-change",
    OddIdIs500: "answers 500 to an id that is not UTF-8" => "heroku.malformed.odd-ids",
    OtherMethodIs500: "answers 500 to an unknown method" => "heroku.malformed.other-methods",
    OddFormIs500: "answers 500 to an invalid form" => "heroku.malformed.sign-on",
    SilentRefusal: "sends no message about invalid input" => "heroku.malformed.message",

    // robustness
    TimesOutAfterHalfASecond: "times out on a body that takes half a second" => "heroku.robustness.slow-caller",
    TimesOutAfterFiveSeconds: "times out on a body that takes five seconds" => "heroku.robustness.very-slow-caller",
    HalfPoisons: "fails on the first provision after one that was cut off" => "heroku.robustness.half-a-request",
    StuckPlanChange: "locks the resource, and does not unlock it when the caller hangs up" => "heroku.robustness.lost-plan-change",
    StuckDeprovision: "aborts a deprovision when the caller hangs up, and fails on the retry" => "heroku.robustness.lost-deprovision",
    DeprovisionFirstIs500: "answers 500 to a provision after its deprovision" => "heroku.robustness.deprovision-first",
    EarlyPlanChangeSticks: "stores an early plan change, and fails on the provision" => "heroku.robustness.plan-change-first",
    PlanChangeRevives: "overwrites a deprovisioned resource with stale data" => "heroku.robustness.removal-wins",
    RemovalCollides: "answers 500 to a deprovision during the provision" => "heroku.robustness.removal-meets-provision",
    CountedIds: "derives the next id from the number of resources, without a lock" => "heroku.robustness.many-at-once",

    // secrets
    EchoesGrant: "sends the grant in the response" => "heroku.secrets.answers",
    EchoesSalt: "sends the salt in a header" => "heroku.secrets.answers",
    EchoesCredentials: "sends the expected password" => "heroku.secrets.refusals",
    StackTrace: "sends a stack trace for invalid input" => "heroku.secrets.inner-life",
    SecretInMessage: "sends the token in the message" => "heroku.secrets.message",
    TokenInRedirect: "passes the token in the redirect" => "heroku.secrets.sign-on",
    EchoesExpectedToken: "sends the expected token" => "heroku.secrets.refused-sign-on",

    // asynchronous provisions
    ConfigInThe202: "sends config with its 202" => "heroku.async.no-config",
    NeverCompletes: "answers 202 and does nothing" => "heroku.async.completes",
    MarksFirst: "marks the resource provisioned before it sets its config vars" => "heroku.async.config-first",
    UnlistedLater: "later sets a config var that the manifest does not list" => "heroku.async.listed-config",
    NoCallback: "answers 202 by version 1, and never calls the callback_url" => "heroku.async.callback",
    NoCallbackRetry: "gives up when the callback_url is unavailable" => "heroku.async.survives-callback-outage",
    RefusesCompleted: "refuses a completed provision" => "heroku.async.replay-when-done",
    NoTokenRetry: "gives up when the token endpoint is unavailable" => "heroku.async.survives-token-outage",
    NoConfigRetry: "gives up when setting config vars fails once" => "heroku.async.survives-config-outage",
    NoMarkRetry: "gives up and deletes the resource when actions/provision is not answered" => "heroku.async.survives-lost-mark",
    RemovalWaits: "does not deprovision before completion" => "heroku.async.outage-blocks-nothing",
    ContinuesAfterDeprovision: "continues after a deprovision" => "heroku.async.quiet-after-removal",
    NeverGivesUp: "retries a permanent refusal forever" => "heroku.async.failure",
    ExchangesEachTime: "exchanges the grant for every provision request" => "heroku.platform.exchange-once",
    OtherAccept: "accepts any JSON from Heroku" => "heroku.platform.accept",
    NoUserAgent: "sends no User-Agent to Heroku" => "heroku.platform.user-agent",
    SecretInTheQuery: "sends the grant in the URL" => "heroku.platform.no-secret-in-query",
}

impl Fault {
    /// Returns whether this is a fault of an add-on whose manifest has no version and plain URLs.
    pub(crate) fn is_of_version_1(self) -> bool {
        use Fault::{AnyTokenByGet, IdHoldsTheApp, NeedsVersion3, NoCallback, NoCallbackRetry, NoSignOnByGet};
        let faults = [NeedsVersion3, IdHoldsTheApp, NoSignOnByGet, AnyTokenByGet, NoCallback, NoCallbackRetry];
        faults.contains(&self)
    }

    /// Returns whether this is a fault of an asynchronous add-on.
    pub(crate) fn is_asynchronous(self) -> bool {
        let is_asynchronous_check = |id: &str| id.starts_with("heroku.async.") || id.starts_with("heroku.platform.");
        MUTANTS.iter().any(|(fault, _, id)| *fault == self && is_asynchronous_check(id))
    }
}
