//! Rows, state changes and the commands on them: one command, one transaction.

mod accept;
mod account;
mod action;
mod adopt;
mod adoption;
#[cfg(feature = "postgres")]
mod batch;
mod begin;
mod begin_binding;
mod binding;
mod binding_rules;
mod claim;
mod complete;
mod context;
mod erase;
mod find;
mod health;
mod job;
mod list;
mod operation;
mod operator;
mod read;
mod readiness;
mod reseal;
mod rows;
pub(crate) mod rules;
mod sealed;
#[cfg(feature = "sessions")]
mod session;
mod stored;
mod stored_reply;
mod suspension;
mod sweep;
mod transfer;
mod transitions;
mod used_token;
mod value;
mod view;

pub(crate) use accept::{AcceptOutcome, MarkAccepted, SetProgress};
pub(crate) use account::{
    BeginClose, FinishClose, Open, ReadAccount, ReadAccountKey, ReadAccountOf, ReadAccountResources, no_open_account,
};
pub(crate) use action::Author;
pub use action::{ActionKind, ActionView};
pub(crate) use adopt::{Adopt, AdoptMode, Adopted};
pub use adoption::{AdoptReport, Adoption, Contradiction, ContradictionKind};
pub(crate) use begin::{BeginChange, BeginDeprovision, BeginOutcome, BeginProvision};
pub(crate) use begin_binding::{BeginBind, BeginUnbind};
pub use binding_rules::BindingState;
pub(crate) use claim::{Claim, ClaimOutcome, ReleaseLease, ReleaseLeases, RenewLease};
pub(crate) use complete::{Complete, Recorded, RetryOrPark};
pub(crate) use context::{Engine, Limits, SESSION_RESOURCE};
pub(crate) use erase::Erase;
pub(crate) use find::{ChangedOperations, DueOperations, Find, ListResources, OvertakenOperations};
pub(crate) use health::CheckHealth;
pub(crate) use job::{
    CancelJobs, ClaimJob, CompleteJob, DueJobs, EnqueueJob, JobFailure, JobRef, RenewJobLease, RetryOrAbandonJob,
};
pub(crate) use list::ListAllResources;
pub use list::{ListedResource, ResourceFilter};
pub use operation::{OperationKind, OperationState, ParseNameError};
pub(crate) use operator::{Abandon, RaiseFences, RequestDeprovision, Retry};
pub(crate) use read::{ReadBinding, ReadConfig, ReadLastOperation, ReadRecord, Record};
pub(crate) use readiness::{BeginCheck, Check, EndCheck, EnqueueCheck, READINESS_JOB};
pub(crate) use reseal::{RESEALED_TABLES, ResealBatch};
pub(crate) use rows::{Lease, addon_id, key_of};
pub(crate) use rules::Decision;
pub use rules::{State, UnknownPolicy};
#[cfg(feature = "sessions")]
pub(crate) use session::{DeleteExpiredSessions, DeleteSession, LoadSession, WriteSession, session_aad};
pub(crate) use stored::{StoredRequest, expose, request_hash};
pub(crate) use stored_reply::{Attributes, Page, Readiness, StoredBound, StoredEndpoint, StoredReply, config_of};
pub(crate) use suspension::SetSuspended;
pub(crate) use sweep::Sweep;
pub(crate) use transfer::MoveResources;
pub(crate) use used_token::MarkTokenUsed;
pub(crate) use value::{Lock, ReadValue, UpdateConfig, ValueRef, WriteValue};
pub use view::{JobView, OperationView, ParkedOperation, ResourceView, Stats};
pub(crate) use view::{ReadParkedJobs, ReadParkedOperations, ReadResource, ReadStats};

/// Database whose commands run in the context of an [`Engine`].
pub(crate) type Database = crate::db::Db<Engine>;
