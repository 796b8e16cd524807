//! Why a request brought no answer, told so that a retry policy and a person can both decide.

use std::error::Error;
use std::fmt;

use super::client::Limits;
use crate::connect::egress::Refusal;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::time::Span;

/// Why a redirect was not followed.
#[derive(Debug, thiserror::Error)]
pub enum RedirectError {
    /// The chain is longer than allowed.
    #[error("it is the redirect after {0} others")]
    TooMany(usize),
    /// `https` to `http`.
    #[error("it leads from https to http")]
    Downgrade,
    /// The body would go to an origin that the author never named.
    #[error("it would hand the request's body to another host, port or scheme")]
    BodyElsewhere,
    /// The place cannot be read as an address.
    #[error("its `Location` is no address")]
    Location,
    /// The guard refuses the place.
    #[error("{0}")]
    Refused(Refusal),
}

/// Why a request brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The guard refused the address.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A redirect was not followed.
    #[error("`{host}` redirects, and that is not followed: {reason}")]
    Redirect {
        /// Who redirected.
        host: String,
        /// Why not.
        #[source]
        reason: RedirectError,
    },
    /// No connection.
    #[error("no connection to `{host}`: {cause}")]
    Connect {
        /// To whom.
        host: String,
        /// In words.
        cause: String,
    },
    /// The certificate of the other side was not accepted.
    #[error("`{host}` could not prove who it is: {cause}")]
    Certificate {
        /// Who.
        host: String,
        /// In words.
        cause: String,
    },
    /// This machine knows no certificate authorities.
    #[error("this machine has no certificate authorities, so nobody's certificate can be checked")]
    NoAuthorities,
    /// Too slow.
    #[error("`{host}` {phase} within {limit}")]
    Timeout {
        /// Who.
        host: String,
        /// What did not happen.
        phase: Phase,
        /// How long was waited.
        limit: Span,
    },
    /// The body is larger than allowed, counted after decompression.
    #[error("the answer of `{host}` is larger than {limit} bytes")]
    TooLarge {
        /// Who.
        host: String,
        /// The allowed size in bytes.
        limit: u64,
    },
    /// The headers are larger than allowed.
    #[error("the headers of `{host}` are larger than {limit} bytes")]
    HeadersTooLarge {
        /// Who.
        host: String,
        /// The allowed size in bytes.
        limit: usize,
    },
    /// The answer broke off or is no HTTP.
    #[error("the answer of `{host}` could not be read: {cause}")]
    Broken {
        /// Who.
        host: String,
        /// In words.
        cause: String,
    },
}

/// What did not happen in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The connection, TLS included.
    Connect,
    /// The first byte of the answer.
    FirstByte,
    /// The end of the answer.
    Whole,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "accepted no connection",
            Self::FirstByte => "did not begin to answer",
            Self::Whole => "did not finish its answer",
        })
    }
}

impl HttpError {
    /// Sorts what the HTTP library reports. Its own text names the whole address, so only the causes are kept.
    pub(super) fn sort(host: &str, error: &reqwest::Error, limits: Limits) -> Self {
        let host = host.to_owned();
        if let Some(cause) = certificate_problem(error) {
            return Self::Certificate { host, cause };
        }
        let cause = causes(error);
        if error.is_connect() {
            return match error.is_timeout() {
                true => Self::Timeout { host, phase: Phase::Connect, limit: limits.connect },
                false => Self::Connect { host, cause },
            };
        }
        // hyper keeps this kind to itself; `a_flood_of_headers_is_cut_off` notices when the words change.
        if cause.contains("message head is too large") {
            return Self::HeadersTooLarge { host, limit: limits.headers };
        }
        Self::Broken { host, cause }
    }
}

/// The innermost causes, without the outermost text.
fn causes(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        // Wrappers repeat the text of what they wrap.
        if let Some(last) = texts.last_mut().filter(|last| last.ends_with(&text) || text.ends_with(last.as_str())) {
            if text.len() > last.len() {
                *last = text;
            }
        } else if !text.starts_with("client error (") {
            texts.push(text); // that one is a wrapper which says nothing of its own
        }
        next = cause.source();
    }
    if texts.is_empty() { "no further detail".to_owned() } else { texts.join(": ") }
}

fn certificate_problem(error: &(dyn Error + 'static)) -> Option<String> {
    match error.downcast_ref::<rustls::Error>() {
        Some(rustls::Error::InvalidCertificate(problem)) => return Some(problem.to_string()),
        Some(rustls::Error::NoCertificatesPresented) => return Some("it showed no certificate".to_owned()),
        _ => {}
    }
    // The source of an `io::Error` is that of the error it wraps: the wrapped error itself is only here.
    if let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        return certificate_problem(inner);
    }
    error.source().and_then(certificate_problem)
}

impl From<HttpError> for Fault {
    fn from(error: HttpError) -> Self {
        let message = error.to_string();
        match error {
            HttpError::Refused(refusal) => refusal.into(),
            HttpError::Redirect { reason: RedirectError::Refused(refusal), .. } => {
                Self { code: code::WF3104, message, ..refusal.into() }
            }
            HttpError::Redirect { .. } => Self::permanent(code::WF3104, message),
            HttpError::Connect { .. } => Self::transient(code::WF3201, message),
            HttpError::Certificate { .. } => Self::permanent(code::WF3202, message),
            HttpError::NoAuthorities => Self::permanent(code::WF3202, message)
                .fix("install the package `ca-certificates`, or name a file of authorities in SSL_CERT_FILE"),
            HttpError::Timeout { .. } => Self::transient(code::WF3203, message),
            HttpError::TooLarge { .. } => Self::permanent(code::WF3204, message),
            HttpError::HeadersTooLarge { .. } => Self::permanent(code::WF3204, message)
                .fix("look at what the other side sends as headers; this limit cannot be raised"),
            HttpError::Broken { .. } => Self::transient(code::WF3205, message),
        }
    }
}
