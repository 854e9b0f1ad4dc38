//! Meaning of SQLite's errors.

use rusqlite::{Error, ErrorCode};

/// Returns the cause in the terms of an operator, if the file or its disk is the cause.
pub(crate) fn cause(error: &Error) -> Option<&'static str> {
    Some(match error.sqlite_error_code()? {
        ErrorCode::ReadOnly => "the file or its folder is read-only",
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
            "the file cannot be opened or created: check the permissions of the file and its folder"
        }
        ErrorCode::DiskFull => "the disk is full",
        ErrorCode::SystemIoFailure => "the disk cannot be read or written",
        ErrorCode::DatabaseBusy => "another process held the write lock for 10 s",
        ErrorCode::NotADatabase => "the file is not a SQLite database",
        ErrorCode::DatabaseCorrupt => "the file is damaged: restore a backup",
        _ => return None,
    })
}
