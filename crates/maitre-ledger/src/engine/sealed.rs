//! Encrypted columns and their associated data.

use maitre_core::TraceParent;

use super::context::Engine;
use super::operation::OperationKind;
use super::rows::Resource;
use super::stored::{StoredDeprovision, StoredRequest};
use super::stored_reply::{StoredKind, StoredReply};
use crate::error::LedgerError;

/// Returns the associated data of a column of a resource or its operations.
///
/// The strings of this file are bound into every encrypted value: changing one needs a migration that reseals.
pub(super) fn aad(addon: &str, key: &str, column: &str) -> String {
    format!("{column} of {addon} {key}")
}

/// Returns the associated data of a platform value.
pub(super) fn value_aad(addon: &str, resource: &str, name: &str) -> String {
    format!("value {name} of {addon} {resource}")
}

/// Returns the associated data of a job's payload.
pub(super) fn payload_aad(addon: &str, kind: &str, name: &str) -> String {
    format!("payload of {addon} {kind} {name}")
}

/// Returns the associated data of a job's last error.
pub(super) fn job_error_aad(addon: &str, kind: &str, name: &str) -> String {
    format!("last_error of {addon} {kind} {name}")
}

impl Engine {
    pub(super) fn open(&self, aad: &str, sealed: &[u8]) -> Result<Vec<u8>, LedgerError> {
        self.keys.open(aad, sealed).map_err(|_| LedgerError::decrypt(aad))
    }

    pub(super) fn open_text(&self, aad: &str, sealed: Option<&[u8]>) -> Result<Option<String>, LedgerError> {
        let Some(sealed) = sealed else { return Ok(None) };
        Ok(Some(String::from_utf8_lossy(&self.open(aad, sealed)?).into_owned()))
    }

    // a request is bound to its kind, because a resource may have several

    pub(super) fn seal_request(&self, addon: &str, key: &str, kind: OperationKind, request: &[u8]) -> Vec<u8> {
        self.keys.seal(&aad(addon, key, kind.as_str()), request)
    }

    /// Returns the sealed request of a deprovision, if it has a trace.
    pub(super) fn seal_deprovision(&self, resource: &Resource, trace: Option<&TraceParent>) -> Option<Vec<u8>> {
        let request = StoredRequest::Deprovision(StoredDeprovision::new(trace?));
        let request = serde_json::to_vec(&request).unwrap_or_default();
        Some(self.seal_request(&resource.addon, &resource.key, OperationKind::Deprovision, &request))
    }

    pub(super) fn open_request(
        &self,
        resource: &Resource,
        kind: OperationKind,
        sealed: &[u8],
    ) -> Result<StoredRequest, LedgerError> {
        let aad = aad(&resource.addon, &resource.key, kind.as_str());
        serde_json::from_slice(&self.open(&aad, sealed)?)
            .map_err(|error| LedgerError::corrupt(format!("cannot parse the {aad}: {error}")))
    }

    pub(super) fn seal_reply(&self, addon: &str, key: &str, reply: &StoredReply) -> Vec<u8> {
        self.keys.seal(&aad(addon, key, "reply"), &serde_json::to_vec(reply).unwrap_or_default())
    }

    pub(super) fn open_reply(&self, addon: &str, key: &str, sealed: &[u8]) -> Result<StoredReply, LedgerError> {
        let aad = aad(addon, key, "reply");
        serde_json::from_slice(&self.open(&aad, sealed)?)
            .map_err(|error| LedgerError::corrupt(format!("cannot parse the {aad}: {error}")))
    }

    /// Returns the reply stored in a resource.
    pub(crate) fn reply_of(&self, resource: &Resource) -> Result<StoredReply, LedgerError> {
        let sealed = resource.reply.as_ref().ok_or_else(|| {
            LedgerError::corrupt(format!("unexpected NULL in column reply of maitre_resources id {}", resource.id))
        })?;
        self.open_reply(&resource.addon, &resource.key, sealed)
    }

    /// Returns the reply of an operation, or of its resource.
    pub(super) fn reply_of_operation(
        &self,
        resource: &Resource,
        own: Option<&[u8]>,
    ) -> Result<StoredReply, LedgerError> {
        match own {
            Some(sealed) => self.open_reply(&resource.addon, &resource.key, sealed),
            // the reply of a provision is stored in its resource while that exists
            None if resource.reply.is_some() => self.reply_of(resource),
            None => Ok(StoredReply::failure(StoredKind::Gone)),
        }
    }
}
