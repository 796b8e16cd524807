//! Why a request failed.

use std::time::Duration;

use serde::Deserialize;

use crate::chat::adapter::SendError;

/// Discord's own numbers for what went wrong.
const UNKNOWN_CHANNEL: u32 = 10_003;
const UNKNOWN_MESSAGE: u32 = 10_008;
const UNKNOWN_WEBHOOK: u32 = 10_015;
const UNKNOWN_INTERACTION: u32 = 10_062;
const ACKNOWLEDGED: u32 = 40_060;
const MISSING_ACCESS: u32 = 50_001;
const NOT_OURS: u32 = 50_005;
const NO_DIRECT_MESSAGES: u32 = 50_007;
const MISSING_PERMISSIONS: u32 = 50_013;
const TOKEN_OVER: u32 = 50_027;
const ARCHIVED: u32 = 50_083;
/// An old message was changed too often within the hour.
const OLD_MESSAGE: u32 = 30_046;

/// What Discord says when it refuses.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Said {
    /// Its number for it; 0 where there is none.
    #[serde(default)]
    pub code: u32,
    /// In words.
    #[serde(default)]
    pub message: String,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    /// Too much was sent: not before this time is over.
    #[error("Discord wants {} s of silence", .0.as_secs_f32().ceil())]
    Busy(Duration),
    /// Discord failed, or could not be reached; whether it was done is not known.
    #[error("Discord cannot be reached: {0}")]
    Later(String),
    /// Discord said no.
    #[error("Discord refuses it ({status}): {} ({})", .said.message, .said.code)]
    Refused {
        /// The status.
        status: u16,
        /// What it said.
        said: Said,
    },
    /// It said no too often, so it is not asked.
    #[error("Discord has refused us there several times; it is tried again in some minutes")]
    LeftAlone,
}

impl RestError {
    fn code(&self) -> u32 {
        match self {
            Self::Refused { said, .. } => said.code,
            _ => 0,
        }
    }

    /// The bot's token is not taken.
    #[must_use]
    pub const fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Refused { status: 401, .. })
    }

    /// There is no such message, channel or answer.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
            || matches!(self.code(), UNKNOWN_CHANNEL | UNKNOWN_MESSAGE | UNKNOWN_WEBHOOK | TOKEN_OVER | ARCHIVED)
    }

    /// The interaction has its first answer already.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        self.code() == ACKNOWLEDGED
    }

    /// The interaction is over: its first answer came too late.
    #[must_use]
    pub fn is_too_late(&self) -> bool {
        self.code() == UNKNOWN_INTERACTION
    }

    /// The person takes no direct messages from us.
    #[must_use]
    pub fn is_closed_to_us(&self) -> bool {
        self.code() == NO_DIRECT_MESSAGES
    }

    /// A right that we do not have there, in words; `None`: it was something else.
    #[must_use]
    pub fn missing(&self) -> Option<&'static str> {
        match self.code() {
            MISSING_ACCESS => Some("permission View Channel"),
            MISSING_PERMISSIONS => {
                Some("permissions Send Messages, Send Messages in Threads, Embed Links, Attach Files")
            }
            _ => None,
        }
    }
}

impl From<RestError> for SendError {
    fn from(error: RestError) -> Self {
        match error {
            RestError::Busy(length) => Self::Busy(length),
            RestError::Later(why) => Self::Later(why),
            RestError::LeftAlone => Self::Later(error.to_string()),
            RestError::Refused { .. } if error.is_absent() || error.code() == NOT_OURS => Self::Gone,
            RestError::Refused { .. } if error.is_unauthorized() => Self::Barred(error.to_string()),
            RestError::Refused { .. } if error.code() == OLD_MESSAGE => Self::Later(error.to_string()),
            RestError::Refused { .. } => Self::Refused(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, code: u32) -> RestError {
        RestError::Refused { status, said: Said { code, message: "no".to_owned() } }
    }

    #[test]
    fn what_is_gone_what_comes_later_and_what_never_comes_are_told_apart() {
        for (error, gone) in [(refused(404, 10_008), true), (refused(403, 50_005), true), (refused(400, 50_083), true)]
        {
            assert_eq!(matches!(SendError::from(error), SendError::Gone), gone);
        }
        assert!(matches!(SendError::from(refused(403, 50_013)), SendError::Refused(_)));
        assert!(matches!(SendError::from(refused(401, 0)), SendError::Barred(_)));
        assert!(matches!(SendError::from(refused(429, 30_046)), SendError::Later(_)));
        assert!(matches!(SendError::from(RestError::Busy(Duration::from_secs(2))), SendError::Busy(_)));
        assert_eq!(refused(403, 50_001).missing(), Some("permission View Channel"));
    }
}
