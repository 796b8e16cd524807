//! `workflow outbox`: messages to people that are on their way, and what became of those that are not.

use clap::{Args, Subcommand};

use super::desk::Desk;
use super::run::as_owner;
use super::{DONE, Ended, WRONG_USE, caller, print};
use crate::app::control::{self as door, Answer, LetterAct, Request};
use crate::service::outbox::LetterView;

/// `outbox`.
#[derive(Debug, Args)]
pub struct Outbox {
    /// Only messages in this state: queued, sent or dead; without it all that are not sent
    #[arg(long)]
    state: Option<String>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    act: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Try a message again at once that was not taken or was given up
    Retry(Which),
    /// Drop a message that was not taken: it is never sent
    Drop(Which),
}

#[derive(Debug, Args)]
struct Which {
    /// The id of the message, or a unique beginning of it
    id: String,
}

pub async fn outbox(desk: &Desk<'_>, args: Outbox) -> Ended {
    match args.act {
        None => list(&desk.letters(args.state.as_deref()).await?, args.json),
        Some(What::Retry(Which { id })) => act(desk, (&id, LetterAct::Retry), args.json).await,
        Some(What::Drop(Which { id })) => act(desk, (&id, LetterAct::Drop), args.json).await,
    }
}

fn list(letters: &[LetterView], json: bool) -> Ended {
    for letter in letters {
        if json {
            print::json(letter)?;
            continue;
        }
        let LetterView { id, platform, channel, title, state, execution_id, step, .. } = letter;
        print::line(format!("{} {state}  {platform}:{channel}  {title}", &id[..id.len().min(8)]));
        print::line(format!("  written at {} by {execution_id}, step {step}", letter.created_at));
        if let Some(error) = &letter.error {
            print::line(format!("  {} {} ({} attempts)", error.code, error.message, letter.attempts));
        }
        if let Some(next) = &letter.next_at {
            print::line(format!("  not before {next}"));
        }
    }
    if letters.is_empty() && !json {
        print::aside("no message waits");
    }
    Ok(DONE)
}

async fn act(desk: &Desk<'_>, (id, act): (&str, LetterAct), json: bool) -> Ended {
    let config = match desk {
        Desk::There(remote) => return told(&remote.letter(id, act).await?, act, json),
        Desk::Here(config) => config,
    };
    let asked = Request::Letter { id: id.to_owned(), act, by: caller().name };
    match door::ask(&config.storage_path, &asked).await? {
        Some(Answer::Done(view)) => told(&serde_json::from_value(view)?, act, json),
        Some(Answer::Refused(why)) => {
            print::aside(format!("error: {why}"));
            Ok(WRONG_USE)
        }
        None => {
            let work = async |service: &crate::service::Service| {
                told(&door::letter(service, &caller(), id, act).await?, act, json)
            };
            as_owner(config, false, work).await
        }
    }
}

fn told(letter: &LetterView, act: LetterAct, json: bool) -> Ended {
    if json {
        print::json(letter)?;
        return Ok(DONE);
    }
    let LetterView { id, platform, channel, .. } = letter;
    match act {
        LetterAct::Retry => print::line(format!("{id} to {platform}:{channel} is tried again")),
        LetterAct::Drop => print::line(format!("{id} to {platform}:{channel} was dropped")),
    }
    Ok(DONE)
}
