//! `workflow chat`: the built-in chat at this terminal, without a server.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use console::Term;

use super::super::run::as_carrier;
use super::super::{DONE, Ended, WRONG_USE, caller, print};
use super::keyboard::{self, Typed};
use crate::chat::adapter::Inbound;
use crate::chat::terminal::{Screen, Terminal};
use crate::chat::{Chat, Settings};
use crate::config::Config;
use crate::domain::card::CardKind;
use crate::service::Service;

const WELCOME: &str = "Type a command, such as `run document_processing` or `help`. `/file PATH` brings a file, \
                       `[Label]` presses a button, Ctrl-D ends.";

pub async fn chat(config: &Config) -> Ended {
    if !config.enabled {
        print::aside("workflows are switched off: WORKFLOW_ENABLED is false");
        return Ok(WRONG_USE);
    }
    let settings = config.chat();
    as_carrier(config, true, async |service| talk(service, settings).await).await
}

async fn talk(service: &Service, settings: Settings) -> Ended {
    let term = Term::stdout();
    let by_hand = term.is_term() && std::io::stdin().is_terminal();
    let screen = if term.is_term() { Screen::live(term.clone()) } else { Screen::plain(Box::new(std::io::stdout())) };
    let terminal = Terminal::new(service.clone(), &caller().name, screen);
    let chat = Chat::start(service.clone(), vec![Arc::new(terminal.clone())], settings).await?;
    let mut typed = if by_hand { keyboard::keys(term) } else { keyboard::lines() };
    if by_hand {
        print::line(WELCOME);
        terminal.typing("");
    }
    while let Some(typed) = typed.recv().await {
        match typed {
            Typed::Sofar(text) => terminal.typing(&text),
            Typed::Line(line) => {
                terminal.entered(&line);
                match inbound(&terminal, &line) {
                    Some(said) => answer(&chat, said).await?,
                    None if line.trim().is_empty() => {}
                    None => print::aside(format!("no message here has the button `{}`", line.trim())),
                }
            }
            Typed::End => break,
        }
    }
    if !by_hand {
        until_at_rest(service, &terminal).await;
    }
    chat.close().await;
    Ok(DONE)
}

/// Takes a line in and waits until it was answered, so that a script reads like a conversation.
async fn answer(chat: &Chat, said: Inbound) -> anyhow::Result<()> {
    let receipt = chat.receive(said).await?;
    let _ = receipt.answered.await; // a stop in the middle: the next start takes it up
    Ok(())
}

/// How often cards are looked at while nothing is heard.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What a line means.
fn inbound(terminal: &Terminal, line: &str) -> Option<Inbound> {
    let line = line.trim();
    if let Some(label) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
        return terminal.pressed(label);
    }
    if let Some(path) = line.strip_prefix("/file ").map(bare).or_else(|| dragged(line)) {
        return Some(terminal.said("", &[path]));
    }
    (!line.is_empty()).then(|| terminal.said(line, &[]))
}

/// A file that was dragged into the terminal: its path, perhaps in quotes, and nothing else.
fn dragged(line: &str) -> Option<PathBuf> {
    let path = bare(line);
    (path.is_absolute() && path.is_file()).then_some(path)
}

/// A path without the quotes and escapes that shells want.
fn bare(text: &str) -> PathBuf {
    let text = text.trim();
    let quoted = ['\'', '"'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    PathBuf::from(quoted.map_or_else(|| text.replace("\\ ", " "), str::to_owned))
}

/// Waits until every execution that has a card here is over or waits for somebody, and its card says so.
async fn until_at_rest(service: &Service, terminal: &Terminal) {
    let mut watch = service.watch();
    while !is_at_rest(service, terminal).await {
        // A card follows its execution a moment later, so silence is no reason to stop looking.
        if let Ok(None) = tokio::time::timeout(LOOK_AGAIN, watch.next()).await {
            return;
        }
    }
}

async fn is_at_rest(service: &Service, terminal: &Terminal) -> bool {
    for (_, card) in terminal.messages() {
        let run = card.execution_id.as_ref().filter(|_| card.kind == CardKind::Run);
        let Some(run) = run.and_then(|run| run.parse().ok()) else { continue };
        // One that cannot be read is not waited for.
        let Ok(view) = service.archive().view(run, false).await else { continue };
        let rests = view.is_finished() || matches!(view.status, "waiting" | "paused");
        if !rests || card.status.as_deref() != Some(view.status) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_shells_write_it() {
        assert_eq!(bare(" '/a b/c.pdf' "), PathBuf::from("/a b/c.pdf"));
        assert_eq!(bare("/a\\ b/c.pdf"), PathBuf::from("/a b/c.pdf"));
        assert_eq!(dragged("run document_processing"), None);
    }
}
