//! What can be wrong with the addon: one thing at a time, and the check that is there to see it.

macro_rules! faults {
    ($($name:ident: $wrong:literal => $check:literal,)*) => {
        /// What is wrong with the addon.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Fault {
            /// Nothing.
            Nothing,
            $($name,)*
        }

        /// Every fault, what the addon then does, and the check that has to see it.
        pub(crate) const MUTANTS: &[(Fault, &str, &str)] = &[$((Fault::$name, $wrong, $check),)*];
    };
}

faults! {
    // who may call
    RefusesEveryone: "compares the header with one that holds a line break, and lets nobody in" => "heroku.auth.right-credentials",
    WrongPasswordIs403: "answers 403 to a wrong password" => "heroku.auth.wrong-password-provision",
    ProvisionIsOpen: "looks at no credentials on provision" => "heroku.auth.wrong-password-provision",
    PlanChangeIsOpen: "looks at no credentials on plan change" => "heroku.auth.wrong-password-plan-change",
    DeprovisionIsOpen: "looks at no credentials on deprovision" => "heroku.auth.wrong-password-deprovision",
    AnyUser: "compares the password and not the user" => "heroku.auth.wrong-user",
    BeginningOfPassword: "takes the beginning of the password for all of it" => "heroku.auth.similar-password",
    LongerPassword: "takes anything that begins with the password" => "heroku.auth.similar-password",
    PasswordInAnyCase: "compares passwords without regard to case" => "heroku.auth.similar-password",
    NoHeaderIs500: "stops with an error where there is no Authorization header" => "heroku.auth.no-credentials",
    NoHeaderLetsIn: "lets in whoever sends no Authorization header" => "heroku.auth.no-credentials",
    NoHeaderIs403: "answers 403 where there is no Authorization header" => "heroku.auth.no-credentials-401",
    EmptyPassword: "lets in an empty password" => "heroku.auth.empty-credentials",
    AnyScheme: "takes credentials behind any scheme" => "heroku.auth.other-scheme",
    NoScheme: "takes credentials without a scheme" => "heroku.auth.other-scheme",
    LenientBase64: "skips characters that are no base64" => "heroku.auth.strict-base64",
    SchemeInCapitals: "knows the scheme as Basic alone" => "heroku.auth.scheme-in-any-case",
    NoChallenge: "sends no WWW-Authenticate" => "heroku.auth.challenge",
    PlanBeforePassword: "refuses an unknown plan before it looks at the password" => "heroku.auth.before-the-plan",
    BodyBeforePassword: "reads the body before it looks at the password" => "heroku.auth.before-the-body",
    ResourceBeforePassword: "answers 404 before it looks at the password" => "heroku.auth.before-the-resource",
    RemovesBeforePassword: "removes, and looks at the password then" => "heroku.auth.refused-is-not-done",

    // what is answered to a provision
    ProvisionIs500: "fails on every provision" => "heroku.provision.succeeds",
    ProvisionIs204: "answers 204 to a provision" => "heroku.provision.succeeds",
    ProvisionRedirects: "redirects a provision to another path" => "heroku.provision.succeeds",
    ProvisionIs201: "answers 201 to a provision" => "heroku.provision.status",
    NotJson: "answers a provision with the word OK" => "heroku.provision.json",
    JsonText: "answers a provision with a JSON text" => "heroku.provision.json",
    HtmlType: "calls its JSON text/html" => "heroku.provision.content-type",
    NoContentType: "sends no content type" => "heroku.provision.content-type",
    NoId: "answers no id" => "heroku.provision.id",
    EmptyId: "answers an empty id" => "heroku.provision.id",
    IdIsAnObject: "answers an object as id" => "heroku.provision.id",
    DigitsAlone: "finds resources by decimal ids alone, and answers the uuid" => "heroku.provision.id-works",
    OneIdForAll: "answers the same id to everyone" => "heroku.provision.ids-differ",
    IdIsTheName: "answers Heroku's name of the resource as id" => "heroku.provision.id-of-its-own",
    IdHoldsTheGrant: "makes the id of the grant's code" => "heroku.provision.id-of-its-own",
    IdOfItsOwn: "draws an id of its own" => "heroku.provision.id-is-the-uuid",
    MessageIsAList: "answers a list as message" => "heroku.provision.message",
    NoDrainUrl: "requires syslog_drain, and answers no log_drain_url" => "heroku.provision.log-drain-url",
    DrainUrlOverTls: "answers a log_drain_url with a scheme that Heroku does not know" => "heroku.provision.log-drain-url",
    KnownFieldsAlone: "refuses a provision with a field that it does not know" => "heroku.provision.unknown-fields",
    NeedsGrant: "refuses a provision without a grant" => "heroku.provision.no-grant",
    StrictTimes: "reads RFC 3339 alone" => "heroku.provision.grant-times",
    NeedsName: "refuses a provision without a name" => "heroku.provision.version-1",
    KnownOptionsAlone: "refuses options that it does not know" => "heroku.provision.options",
    NegotiatesAccept: "answers 406 where another type is asked for" => "heroku.provision.any-accept",
    ExactContentType: "answers 415 to a content type with a charset" => "heroku.provision.content-type-parameters",
    OneRegion: "stops with an error in another region" => "heroku.provision.other-region",
    RefusesWith400: "refuses an unknown plan with 400" => "heroku.provision.refusal",
    RefusesWithoutMessage: "refuses an unknown plan with 422 and no message" => "heroku.provision.refusal",
    Slow: "takes more than three seconds for a provision" => "heroku.provision.prompt",
    NeverAnswers: "never answers a provision" => "heroku.provision.succeeds",

    // config vars
    ConfigIsAList: "answers a list as config" => "heroku.config.object",
    NumberInConfig: "answers a number as config var" => "heroku.config.object",
    NullInConfig: "answers null as config var" => "heroku.config.object",
    UnlistedConfig: "sets a config var that the manifest does not list" => "heroku.config.listed",
    UrlWithoutScheme: "sets a _URL that has no scheme" => "heroku.config.urls",
    UrlWithoutHost: "sets a _URL that has no host" => "heroku.config.urls",
    IncompleteConfig: "leaves out a config var that the manifest lists" => "heroku.config.complete",
    UnlistedAfterPlanChange: "sets an unlisted config var on plan change" => "heroku.config.plan-change",
    OneSecretForAll: "gives every customer the same token" => "heroku.config.apart",

    // at least once
    SecondResource: "makes a resource for every POST" => "heroku.idempotency.same-uuid-again",
    Conflict: "answers 409 to a known uuid" => "heroku.idempotency.same-uuid-again",
    CrashOnDuplicate: "stops with an error on a known uuid" => "heroku.idempotency.same-uuid-again",
    SecondTenant: "makes a tenant for every POST, under the same id" => "heroku.idempotency.same-config",
    OtherMessage: "says another thing to a known uuid" => "heroku.idempotency.same-message",
    NoConstraint: "looks whether a uuid is known, and makes it a moment later" => "heroku.idempotency.at-once",
    BusyDuplicates: "answers 500 to a uuid that is being made" => "heroku.idempotency.at-once-succeeds",
    StuckReservation: "reserves the uuid in the request, and forgets it when the caller hangs up" => "heroku.idempotency.lost-reply",
    Resurrects: "makes a removed uuid anew" => "heroku.idempotency.stays-removed",
    RemovedIs500: "stops with an error on a removed uuid" => "heroku.idempotency.stays-removed",
    RemovedIs404: "answers 404 to a provision of a removed uuid" => "heroku.idempotency.removed-410",
    OtherPlanIsAnother: "makes a second resource where the plan differs" => "heroku.idempotency.other-plan",
    WholeBodyIsTheKey: "refuses a known uuid with a newer grant" => "heroku.idempotency.newer-grant",
    CurrentPlanIsTheKey: "refuses the first provision after a plan change" => "heroku.idempotency.after-plan-change",

    // plan change
    PlanChangeIs500: "fails on every plan change" => "heroku.plan-change.succeeds",
    PlanChangeIs400: "refuses a plan change with 400" => "heroku.plan-change.succeeds",
    PlanChangeIsText: "answers a plan change with the word OK" => "heroku.plan-change.json",
    SamePlanIsRefused: "refuses a change to the plan that the resource has" => "heroku.plan-change.same-plan",
    SameChangeIsConflict: "answers 409 to the plan change that it made last" => "heroku.plan-change.again",
    NoWayBack: "stops with an error on the way back" => "heroku.plan-change.and-back",
    PlanChangeChangesId: "answers another id to a plan change" => "heroku.plan-change.id-stays",
    UnknownPlanIs500: "stops with an error on a plan that it does not know" => "heroku.plan-change.refusal",
    RefusedChangeRemoves: "removes the resource whose plan change it refuses" => "heroku.plan-change.refused-is-harmless",
    KnownFieldsOfPlanChange: "refuses a plan change with a field that it does not know" => "heroku.plan-change.unknown-fields",
    ByBody: "looks for the resource by the uuid in the body" => "heroku.plan-change.by-path",
    UnknownPlanChangeIsDone: "answers 200 to a plan change of nothing" => "heroku.plan-change.unknown-resource",
    UnknownPlanChangeIs500: "stops with an error on a plan change of nothing" => "heroku.plan-change.unknown-resource",
    UnknownPlanChangeIs422: "answers 422 to a plan change of nothing" => "heroku.plan-change.unknown-404",
    RemovedPlanChangeIsDone: "answers 200 to a plan change of what was removed" => "heroku.plan-change.removed",

    // deprovision
    DeprovisionIs500: "fails on every deprovision" => "heroku.deprovision.succeeds",
    DeprovisionNeedsType: "answers 415 to a DELETE without a content type" => "heroku.deprovision.succeeds",
    DeprovisionIs200: "answers 200 to a deprovision" => "heroku.deprovision.status",
    SecondDeprovisionIs500: "stops with an error on the second deprovision" => "heroku.deprovision.again",
    UnknownDeprovisionIs422: "answers 422 to a deprovision of nothing" => "heroku.deprovision.unknown",
    DeprovisionsCollide: "stops with an error on two deprovisions at once" => "heroku.deprovision.at-once",
    RemovesAll: "removes everything on the first deprovision" => "heroku.deprovision.leaves-others",
    ChangedStays: "cannot remove what has changed its plan" => "heroku.deprovision.after-plan-change",

    // tokens
    SignOnIsGuarded: "asks for the password on single sign-on" => "heroku.sso-token.lets-in",
    PlusIsASpace: "hashes the address with a space in the place of its plus" => "heroku.sso-token.lets-in",
    StrictCookie: "sets a SameSite=Strict cookie" => "heroku.sso-token.lets-in",
    LostSession: "redirects, and opens no session" => "heroku.sso-token.lets-in",
    NoUserScoped: "does not know the SHA-256 token" => "heroku.sso-token.user-scoped",
    NoResourceToken: "does not take the SHA-1 token alone" => "heroku.sso-token.resource",
    NoVersion1: "does not take the token of version 1" => "heroku.sso-token.version-1",
    KnownFieldsOfTheForm: "refuses a form with a field that it does not know" => "heroku.sso-token.unknown-fields",
    AnyToken: "compares no token" => "heroku.sso-token.wrong",
    RedirectsTheRefused: "redirects whoever has no good token to the front page" => "heroku.sso-token.wrong",
    NoTokenLetsIn: "lets in who sends no token" => "heroku.sso-token.missing",
    EmptyTokenLetsIn: "lets in an empty token" => "heroku.sso-token.empty",
    BeginningOfToken: "compares as much of a token as was sent" => "heroku.sso-token.part",
    EmptySalt: "takes tokens that are signed with an empty salt, too" => "heroku.sso-token.other-salt",
    PasswordIsASalt: "takes tokens that are signed with the password, too" => "heroku.sso-token.other-salt",
    TokenOfAny: "takes the token of any resource for every one" => "heroku.sso-token.other-resource",
    TimeIsNotSigned: "takes a token of the last minutes under any timestamp" => "heroku.sso-token.other-time",
    FallsBack: "takes the SHA-1 token where the SHA-256 one is wrong" => "heroku.sso-token.strongest-decides",
    EmailIsNotCovered: "looks at SHA-1 alone" => "heroku.sso-token.altered-email",
    UserIsNotCovered: "looks at SHA-1 where the user is another one than usual" => "heroku.sso-token.altered-user",
    FormInTheQuery: "reads the form from the query, too" => "heroku.sso-token.in-the-query",
    UnknownLetsIn: "opens the dashboard of what was never ordered" => "heroku.sso-token.unknown-resource",
    RemovedLetsIn: "opens the dashboard of what was removed" => "heroku.sso-token.removed-resource",

    // the window
    NoAge: "looks at no timestamp" => "heroku.sso-window.six-minutes-old",
    AgeWithinADay: "takes the age without its days" => "heroku.sso-window.a-day-old",
    NarrowWindow: "takes tokens of half a minute alone" => "heroku.sso-window.a-minute-old",
    NoSkew: "refuses a clock that runs a second ahead" => "heroku.sso-window.clocks-differ",
    FutureLetsIn: "looks at the age alone, which is below zero for the future" => "heroku.sso-window.an-hour-ahead",
    FarFutureLetsIn: "refuses the next year, and takes all after it" => "heroku.sso-window.ten-years-ahead",
    NoNumberIs500: "stops with an error where the timestamp is no number" => "heroku.sso-window.no-number",
    NoNumberIsNow: "takes now for a timestamp that is no number" => "heroku.sso-window.no-number",
    JunkBehind: "reads a timestamp as far as it is a number" => "heroku.sso-window.junk-behind",
    NoTimestampIs500: "stops with an error where there is no timestamp" => "heroku.sso-window.no-timestamp",
    Replay: "takes a form as often as it comes" => "heroku.sso-window.one-use",
    ReplayStripped: "forgets the weaker tokens of a form that was used" => "heroku.sso-window.one-use-stripped",
    ReplayLater: "remembers a form that was used for a minute alone" => "heroku.sso-window.one-use-lasts",

    // the session
    ScriptCookie: "sets a cookie that scripts can read" => "heroku.sso-session.http-only",
    KeepsSession: "goes on with the session that the browser brought" => "heroku.sso-session.starts-anew",
    SessionForAll: "opens the session before it looks at the token" => "heroku.sso-session.refused-opens-none",
    OpenRedirect: "redirects to where the form says" => "heroku.sso-session.redirects-at-home",
    BackslashRedirect: "takes a path with a backslash for one of its own" => "heroku.sso-session.redirects-at-home",
    HeaderInjection: "writes nav-data into the header as it came" => "heroku.sso-session.no-header-injection",
    NavDataHere: "sets the nav-data cookie for one folder" => "heroku.sso-session.nav-data",

    // what cannot be read
    BadJsonIs500: "stops with an error on a body that is no JSON" => "heroku.malformed.no-json",
    EmptyIs500: "stops with an error on an empty body" => "heroku.malformed.empty",
    ListIs500: "stops with an error on a body that is a list" => "heroku.malformed.no-object",
    NoUuidIsTaken: "provisions without a uuid" => "heroku.malformed.no-uuid",
    OddUuidIs500: "stops with an error on a uuid that is none" => "heroku.malformed.odd-uuid",
    NoPlanIsTaken: "provisions without a plan" => "heroku.malformed.no-plan",
    TypesAre500: "stops with an error on options that are no object" => "heroku.malformed.field-types",
    NulIs500: "stops with an error on a NUL" => "heroku.malformed.odd-characters",
    DeepIs500: "stops with an error on deep nesting" => "heroku.malformed.deep-nesting",
    LargeIs500: "stops with an error on a large body" => "heroku.malformed.large-body",
    LargeStrangerIs500: "stops with an error on a stranger's large body" => "heroku.malformed.large-body-of-a-stranger",
    OddHeaderIs500: "stops with an error on credentials that are no base64" => "heroku.malformed.authorization",
    OddPlanChangeIs500: "stops with an error on a plan change that is no JSON" => "heroku.malformed.plan-change",
    OddIdIs500: "stops with an error on an id that is no text" => "heroku.malformed.odd-ids",
    OtherMethodIs500: "stops with an error on a method that it does not know" => "heroku.malformed.other-methods",
    OddFormIs500: "stops with an error on a form that cannot be read" => "heroku.malformed.sign-on",
    SilentRefusal: "says nothing of what could not be read" => "heroku.malformed.message",

    // the network
    Impatient: "gives up on a body that takes half a second" => "heroku.robustness.slow-caller",
    ImpatientForLong: "gives up on a body that takes five seconds" => "heroku.robustness.very-slow-caller",
    HalfPoisons: "fails on the first provision after one that broke off" => "heroku.robustness.half-a-request",
    StuckPlanChange: "locks the resource in the request, and forgets it when the caller hangs up" => "heroku.robustness.lost-plan-change",
    StuckDeprovision: "removes in the request, and cannot go on when the caller hangs up" => "heroku.robustness.lost-deprovision",
    DeprovisionFirstIs500: "stops with an error on a provision after its deprovision" => "heroku.robustness.deprovision-first",
    EarlyPlanChangeSticks: "remembers a plan change that came too early, and fails on the provision" => "heroku.robustness.plan-change-first",
    PlanChangeRevives: "writes back the resource that it read before it was removed" => "heroku.robustness.removal-wins",
    RemovalCollides: "stops with an error when it removes what is being made" => "heroku.robustness.removal-meets-provision",
    CountedIds: "counts its resources for the next id, and makes it a moment later" => "heroku.robustness.many-at-once",

    // secrets
    EchoesGrant: "answers the grant that was sent" => "heroku.secrets.answers",
    EchoesSalt: "answers the salt in a header" => "heroku.secrets.answers",
    EchoesCredentials: "says which password it had expected" => "heroku.secrets.refusals",
    StackTrace: "answers a stack trace to what it cannot read" => "heroku.secrets.inner-life",
    SecretInMessage: "repeats the token in the message" => "heroku.secrets.message",
    TokenInRedirect: "passes the token on in the redirect" => "heroku.secrets.sign-on",
    TellsTheToken: "says which token it had expected" => "heroku.secrets.refused-sign-on",

    // what is finished later
    ConfigInThe202: "answers config with its 202" => "heroku.async.no-config",
    NeverFinishes: "answers 202, and does nothing" => "heroku.async.completes",
    MarksFirst: "marks a lamp provisioned before it sets its config vars" => "heroku.async.config-first",
    UnlistedLater: "sets a config var later that the manifest does not list" => "heroku.async.listed-config",
    ForgetsWhatIsDone: "refuses a provision that is done" => "heroku.async.replay-when-done",
    OneTryForTheToken: "gives up when the token endpoint is out" => "heroku.async.survives-token-outage",
    OneTryForTheConfig: "gives up when config vars cannot be set at once" => "heroku.async.survives-config-outage",
    OneTryForTheMark: "gives up, and removes the lamp, when actions/provision is not answered" => "heroku.async.survives-lost-mark",
    RemovalWaits: "does not remove a lamp that is being made" => "heroku.async.outage-blocks-nothing",
    GoesOnAfterRemoval: "goes on with a lamp that was removed" => "heroku.async.quiet-after-removal",
    NeverGivesUp: "tries for ever what is refused for good" => "heroku.async.failure",
    ExchangesEachTime: "exchanges the grant whenever a provision comes" => "heroku.platform.exchange-once",
    OtherAccept: "asks Heroku for any JSON" => "heroku.platform.accept",
    NoUserAgent: "calls Heroku without a name" => "heroku.platform.user-agent",
    SecretInTheQuery: "sends the grant in the URL" => "heroku.platform.no-secret-in-query",
}

impl Fault {
    /// Whether it is one of a addon that answers 202 and finishes later.
    pub(crate) fn is_later(self) -> bool {
        let of_the_platform = |id: &str| id.starts_with("heroku.async.") || id.starts_with("heroku.platform.");
        MUTANTS.iter().any(|(fault, _, id)| *fault == self && of_the_platform(id))
    }
}
