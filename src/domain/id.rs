//! Typed ids with the promised prefixes. An id is 128 bits, time-ordered, printed in lower-case Crockford base 32.

use std::fmt;
use std::str::FromStr;

use ulid::Ulid;

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {noun}: it must be `{prefix}` and 26 letters or digits")]
pub struct IdError {
    text: String,
    noun: &'static str,
    prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $noun:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Ulid);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The id made of these bits (time in the upper 48, chance below).
            #[must_use]
            pub const fn from_bits(bits: u128) -> Self {
                Self(Ulid(bits))
            }

            /// All its bits: time in the upper 48, chance below.
            #[must_use]
            pub const fn bits(self) -> u128 {
                self.0.0
            }

            /// The lower half of the bits: chance, the same for the same id.
            #[must_use]
            pub const fn low_bits(self) -> u64 {
                self.0.0 as u64
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut buffer = [0u8; ulid::ULID_LEN];
                let text = self.0.array_to_str(&mut buffer);
                text.make_ascii_lowercase();
                f.write_str($prefix)?;
                f.write_str(text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix($prefix)
                    .filter(|rest| rest.len() == ulid::ULID_LEN)
                    .and_then(|rest| Ulid::from_string(&rest.to_ascii_uppercase()).ok())
                    .map(Self)
                    .ok_or_else(|| IdError { text: text.chars().take(80).collect(), noun: $noun, prefix: $prefix })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// One run of a workflow; `execution_id` on the wire.
    RunId, "exec_", "an execution id"
);
id!(
    /// A saved workflow.
    WorkflowId, "wf_", "a workflow id"
);
id!(
    /// An uploaded file.
    FileId, "file_", "a file id"
);
id!(
    /// A stored document.
    DocumentId, "doc_", "a document id"
);
id!(
    /// A mark in what a workflow does.
    CheckpointId, "chk_", "a checkpoint id"
);
id!(
    /// One life of this process; never the host's name.
    BootId, "boot_", "a boot id"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = RunId::from_bits(0x0199_c0de_0000_0000_0000_0000_0000_0007);
        let text = id.to_string();
        assert!(text.starts_with("exec_") && text.len() == 31, "{text}");
        assert_eq!(text.parse::<RunId>(), Ok(id));
        assert_eq!(text, text.to_lowercase());
    }

    #[test]
    fn an_id_of_another_kind_is_refused_with_its_kind() {
        let text = WorkflowId::from_bits(1).to_string();
        let error = text.parse::<RunId>().expect_err("a workflow id is no execution id");
        assert!(error.to_string().contains("is not an execution id"), "{error}");
        assert!("exec_".parse::<RunId>().is_err() && "exec_ü".parse::<RunId>().is_err());
    }
}
