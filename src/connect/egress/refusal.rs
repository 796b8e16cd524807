//! Why the guard does not let a connection out, in words that say what to change.

use std::io;
use std::net::{IpAddr, SocketAddr};

use super::address::Objection;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::time::Span;

/// Why an address may not be reached. Texts name the host, never path or query: those may hold a secret.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Neither http nor https.
    #[error("`{0}:` is not a scheme that may be fetched")]
    Scheme(String),
    /// The address has no host.
    #[error("the address names no host")]
    NoHost,
    /// `user:password@` in the address.
    #[error("the address of `{0}` carries a user name or password")]
    UserInfo(String),
    /// A port on which other protocols live.
    #[error("port {port} of `{host}` is not open for outbound requests")]
    Port {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// The ports that are open, in words.
        usual: String,
    },
    /// A name that RFC 2606 and 6761 set aside.
    #[error("`{0}` is a name reserved for examples and is never contacted")]
    Reserved(String),
    /// A name without addresses.
    #[error("the name `{host}` could not be resolved")]
    Unresolved {
        /// The name.
        host: String,
        /// What the resolver said.
        #[source]
        source: io::Error,
    },
    /// The resolver did not answer.
    #[error("the name `{host}` was not resolved within {limit}")]
    Slow {
        /// The name.
        host: String,
        /// How long the guard waited.
        limit: Span,
    },
    /// The address, or one of the addresses of the name, is not global unicast.
    #[error("`{host}` is at `{}`, which may not be reached: {objection}", .address.ip())]
    Address {
        /// The host as asked for.
        host: String,
        /// The address that was judged.
        address: SocketAddr,
        /// What is wrong with it.
        objection: Objection,
    },
    /// The address is one of this machine's own.
    #[error("`{host}` is at `{}`, which may not be reached: it is an address of this machine", .address.ip())]
    Own {
        /// The host as asked for.
        host: String,
        /// The address.
        address: SocketAddr,
    },
    /// The connection did not go where the guard sent it.
    #[error("the connection to `{host}` went to `{peer}`, which was not checked")]
    Strayed {
        /// The host as asked for.
        host: String,
        /// Where it went.
        peer: IpAddr,
    },
}

impl Refusal {
    /// What to change, where that is not the same for every refusal of the code.
    fn fix(&self) -> Option<String> {
        let rule = |address: &SocketAddr| match address.ip().to_canonical() {
            IpAddr::V4(ip) => format!("{ip}/32:{}", address.port()),
            IpAddr::V6(ip) => format!("[{ip}]/128:{}", address.port()),
        };
        match self {
            Self::Scheme(_) => Some("write an address that begins with `https://` or `http://`".to_owned()),
            Self::UserInfo(_) => Some("send credentials in an `Authorization` header".to_owned()),
            Self::Port { port, usual, .. } => Some(format!(
                "use one of the ports {usual}; if this one is meant, the operator adds `ADDRESS/LENGTH:{port}` to the `allow` list"
            )),
            Self::Address { address, .. } | Self::Own { address, .. } => Some(format!(
                "use a public address; if this one is meant, the operator adds `{}` to the `allow` list",
                rule(address)
            )),
            _ => None,
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        let fault = match &refusal {
            Refusal::Scheme(_) | Refusal::NoHost | Refusal::UserInfo(_) => Self::permanent(code::WF3101, message),
            Refusal::Port { .. } | Refusal::Address { .. } | Refusal::Own { .. } | Refusal::Strayed { .. } => {
                Self::permanent(code::WF3102, message)
            }
            Refusal::Unresolved { source, .. } => Self::transient(code::WF3103, message).context(source),
            Refusal::Slow { .. } => Self::transient(code::WF3103, message),
            Refusal::Reserved(_) => Self::permanent(code::WF3105, message),
        };
        match refusal.fix() {
            Some(fix) => fault.fix(fix),
            None => fault,
        }
    }
}
