//! What can stand in a row that is written: texts and numbers as they are, everything with parts as JSON text.

use serde::Serialize;
use serde_json::value::RawValue;

use super::value::Arg;
use crate::contract::blob::Digest;
use crate::domain::id::{CheckpointId, DocumentId, FileId, RunId, WorkflowId};
use crate::domain::time::Timestamp;

/// A value of a row.
pub trait Cell: Sync {
    /// The argument of the statement.
    fn arg(&self) -> Arg;
}

/// A value with parts.
pub struct Json<T>(pub T);

impl<T: Serialize + Sync> Cell for Json<T> {
    fn arg(&self) -> Arg {
        // Plain data with text keys; JSON can hold all of it.
        Arg::Text(serde_json::to_string(&self.0).expect("rows hold plain values with text keys"))
    }
}

impl<T: Cell + ?Sized> Cell for &T {
    fn arg(&self) -> Arg {
        (**self).arg()
    }
}

impl<T: Cell> Cell for Option<T> {
    fn arg(&self) -> Arg {
        self.as_ref().map_or(Arg::Null, Cell::arg)
    }
}

impl Cell for str {
    fn arg(&self) -> Arg {
        Arg::Text(self.to_owned())
    }
}

impl Cell for String {
    fn arg(&self) -> Arg {
        Arg::Text(self.clone())
    }
}

impl Cell for [u8] {
    fn arg(&self) -> Arg {
        Arg::Bytes(self.to_owned())
    }
}

impl Cell for Vec<u8> {
    fn arg(&self) -> Arg {
        self.as_slice().arg()
    }
}

impl Cell for RawValue {
    fn arg(&self) -> Arg {
        Arg::Text(self.get().to_owned())
    }
}

impl Cell for Box<RawValue> {
    fn arg(&self) -> Arg {
        (**self).arg()
    }
}

impl Cell for bool {
    fn arg(&self) -> Arg {
        Arg::Int(i64::from(*self))
    }
}

impl Cell for Timestamp {
    fn arg(&self) -> Arg {
        Arg::Int(self.micros())
    }
}

macro_rules! numbers {
    ($($kind:ty),*) => {
        // Larger than a database can hold is as large as it can hold.
        $(impl Cell for $kind { fn arg(&self) -> Arg { Arg::Int(i64::try_from(*self).unwrap_or(i64::MAX)) } })*
    };
}
numbers!(u16, u32, u64, usize);

macro_rules! ids {
    ($($kind:ty),*) => { $(impl Cell for $kind { fn arg(&self) -> Arg { Arg::Text(self.to_string()) } })* };
}
ids!(RunId, WorkflowId, FileId, DocumentId, CheckpointId, Digest);
