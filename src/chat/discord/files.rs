//! Files that people attach: fetched from Discord's own hosts alone, without our token, and no longer than was told.

use futures::TryStreamExt as _;
use serenity_http::Url;
use tokio_util::io::StreamReader;

use super::adapter::Discord;
use super::settings::API_URL;
use crate::chat::adapter::FileRef;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::service::{FileRecord, ServiceError};

/// Where Discord keeps what people attach.
const HOSTS: [&str; 2] = ["cdn.discordapp.com", "media.discordapp.net"];
/// How long the first byte may take.
const FIRST_BYTE: std::time::Duration = std::time::Duration::from_secs(30);
const BROKE_OFF: &str = "Discord broke off";
const TOO_MUCH: &str = "it is not what was attached";

/// A file as a message names it; its size stands behind its address.
#[must_use]
pub fn named(url: &str, name: &str, size: u64) -> FileRef {
    FileRef { id: format!("{url}#{size}"), name: name.to_owned() }
}

fn refused(message: String) -> ServiceError {
    ServiceError::Inputs(vec![Fault::permanent(code::WF2102, message)])
}

/// Takes a file in.
pub async fn fetch(discord: &Discord, file: &FileRef) -> Result<FileRecord, ServiceError> {
    let name = crate::chat::grammar::inert(&file.name, 80);
    let foreign = || refused(format!("`{name}` is no file of Discord's: attach it to the message"));
    let url = Url::parse(&file.id).map_err(|_| foreign())?;
    if !is_ours(&url, &discord.settings.api_url) {
        return Err(foreign());
    }
    let told = url.fragment().and_then(|size| size.parse::<u64>().ok());
    let limit = discord.settings.upload_limit;
    if told.is_some_and(|told| told > limit) {
        return Err(too_large(&name, limit));
    }
    let sent = tokio::time::timeout(FIRST_BYTE, discord.rest.client().get(url).send()).await;
    let gone = |why: &str| refused(format!("`{name}` cannot be fetched: {why}; attach it again"));
    let response = match sent {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => return Err(gone("Discord cannot be reached")),
        Err(_) => return Err(gone("Discord does not answer")),
    };
    match response.status().as_u16() {
        200 => {}
        403 | 404 => return Err(gone("its link is over")),
        status => return Err(gone(&format!("Discord answers {status}"))),
    }
    let length = response.content_length();
    if length.is_some_and(|length| length > limit) {
        return Err(too_large(&name, limit));
    }
    if told.zip(length).is_some_and(|(told, length)| told != length) {
        return Err(gone(TOO_MUCH));
    }
    let most = told.unwrap_or(limit).min(limit);
    let (mut taken, mut broke_off) = (0, false);
    let pieces = response.bytes_stream().map_err(|_| BROKE_OFF).and_then(|piece| {
        taken += piece.len() as u64;
        std::future::ready(if taken > most { Err(TOO_MUCH) } else { Ok(piece) })
    });
    let pieces = pieces.map_err(|why| {
        broke_off = true;
        std::io::Error::other(why)
    });
    let mut content = StreamReader::new(Box::pin(pieces));
    let record = discord.service.take_in_stream(&file.name, &mut content).await;
    drop(content);
    let record = match record {
        Err(_) if broke_off && taken > limit => return Err(too_large(&name, limit)),
        Err(_) if broke_off && taken > most => return Err(gone(TOO_MUCH)),
        Err(_) if broke_off => return Err(gone(BROKE_OFF)),
        record => record?,
    };
    if told.is_some_and(|told| told != record.size) {
        return Err(gone("it broke off"));
    }
    Ok(record)
}

/// Whether an address is one of Discord's, or of the base that stands in its place.
fn is_ours(url: &Url, base: &str) -> bool {
    if base == API_URL {
        return url.scheme() == "https"
            && url.port().is_none()
            && url.host_str().is_some_and(|host| HOSTS.contains(&host));
    }
    Url::parse(base).is_ok_and(|base| base.origin() == url.origin())
}

fn too_large(name: &str, limit: u64) -> ServiceError {
    let limit = crate::chat::words::bytes(limit);
    refused(format!("`{name}` is larger than {limit}, which is what `upload_limit` takes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_from_discord_alone() {
        let ours = |url: &str, base: &str| is_ours(&Url::parse(url).expect("an address"), base);
        assert!(ours("https://cdn.discordapp.com/attachments/1/2/a.pdf?ex=1#7", API_URL));
        for url in [
            "http://cdn.discordapp.com/a",
            "https://cdn.discordapp.com.evil.example/a",
            "https://cdn.discordapp.com:8443/a",
            "https://169.254.169.254/latest",
            "file:///etc/passwd",
            "http://127.0.0.1:9102/a",
        ] {
            assert!(!ours(url, API_URL), "{url}");
        }
        assert!(ours("http://127.0.0.1:9102/cdn/a", "http://127.0.0.1:9102"));
        assert!(!ours("http://127.0.0.1:9103/cdn/a", "http://127.0.0.1:9102"));
    }
}
