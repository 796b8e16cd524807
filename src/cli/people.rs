//! `people`, `audit`, `link`: who is who, and who did what.

use serde::de::DeserializeOwned;

use super::desk::Desk;
use super::run::as_owner;
use super::{DONE, Ended, WRONG_USE, print};
use crate::app::control::{self as door, Answer, Request};
use crate::service::verbs::{Audit, Link, People, PeopleWish};
use crate::service::{Caller, Code, PersonView, TraceFilter, TraceView};

/// Who sits at this terminal: whoever owns the storage path.
pub fn caller() -> Caller {
    Caller::owner(crate::service::TERMINAL, &crate::config::user_name())
}

/// Says who is who, or changes it.
pub async fn people(desk: &Desk<'_>, args: People) -> Ended {
    let wish = match args.wish() {
        Ok(wish) => wish,
        Err(why) => {
            print::aside(format!("error: {why}; `workflow help people` shows how it is used"));
            return Ok(WRONG_USE);
        }
    };
    let json = args.json;
    match &wish {
        PeopleWish::List => {
            let Some(people) = asked::<Vec<PersonView>>(desk, &wish).await? else { return Ok(WRONG_USE) };
            for person in &people {
                if json { print::json(person)? } else { print::line(told(person)) }
            }
            if people.is_empty() && !json {
                print::aside("nobody yet; `workflow people add NAME --role operator` takes somebody in");
            }
        }
        PeopleWish::Code { .. } => {
            let Some(code) = asked::<Code>(desk, &wish).await? else { return Ok(WRONG_USE) };
            if json {
                print::json(&code)?;
            } else {
                print::line(&code.code);
                print::aside(format!("{} says `{}` to the bot alone, before {}", code.name, code.say, code.expires_at));
            }
        }
        PeopleWish::Remove { name } => {
            let Some(()) = asked::<()>(desk, &wish).await? else { return Ok(WRONG_USE) };
            if !json {
                print::line(format!("{name} is gone"));
            }
        }
        PeopleWish::Add { .. } | PeopleWish::Role { .. } | PeopleWish::Unlink { .. } => {
            let Some(person) = asked::<PersonView>(desk, &wish).await? else { return Ok(WRONG_USE) };
            if json { print::json(&person)? } else { print::line(told(&person)) }
        }
    }
    Ok(DONE)
}

fn told(person: &PersonView) -> String {
    let links: Vec<_> = person.links.iter().map(|link| format!("{} ({})", link.identity, link.shown)).collect();
    let links = if links.is_empty() { "linked to nothing".to_owned() } else { links.join(", ") };
    format!("{:<20} {:<9} {links}", person.name, person.role.word())
}

/// Asks whoever owns the storage path; where nobody does, becomes the owner for as long as it takes. `None`: refused,
/// and said so.
async fn asked<T: DeserializeOwned>(desk: &Desk<'_>, wish: &PeopleWish) -> anyhow::Result<Option<T>> {
    let config = match desk {
        Desk::There(remote) => return Ok(Some(serde_json::from_value(remote.people(wish).await?)?)),
        Desk::Here(config) => config,
    };
    let request = Request::People { wish: wish.clone(), by: caller().name };
    let answer = match door::ask(&config.storage_path, &request).await? {
        Some(answer) => answer,
        None => here(config, request).await?,
    };
    read(answer)
}

fn read<T: DeserializeOwned>(answer: Answer) -> anyhow::Result<Option<T>> {
    match answer {
        Answer::Done(value) => Ok(Some(serde_json::from_value(value)?)),
        Answer::Refused(why) => {
            print::aside(format!("error: {why}"));
            Ok(None)
        }
    }
}

async fn here(config: &crate::config::Config, request: Request) -> anyhow::Result<Answer> {
    let mut answer = Answer::Refused("the disk failed".to_owned());
    as_owner(config, false, async |service| {
        answer = door::answer(service, request.clone()).await;
        Ok(DONE)
    })
    .await?;
    Ok(answer)
}

/// Who did what, newest first.
pub async fn audit(desk: &Desk<'_>, args: Audit) -> Ended {
    let filter = TraceFilter { before: None, identity: args.by, denied: args.denied, limit: args.limit };
    let lines: Option<Vec<TraceView>> = match desk {
        Desk::There(remote) => Some(remote.trail(&filter).await?),
        Desk::Here(config) => {
            let TraceFilter { identity, denied, limit, .. } = filter;
            let request = Request::Audit { identity, denied, limit, by: caller().name };
            let answer = match door::ask(&config.storage_path, &request).await? {
                Some(answer) => answer,
                None => here(config, request).await?,
            };
            read(answer)?
        }
    };
    let Some(lines) = lines else { return Ok(WRONG_USE) };
    for line in &lines {
        if args.json { print::json(line)? } else { print::line(line.told()) }
    }
    if lines.is_empty() && !args.json {
        print::aside("nothing was done through a chat yet");
    }
    Ok(DONE)
}

/// A code is for those who are not here.
pub fn link(_args: &Link) -> Ended {
    print::aside("this instance is yours here; a code is said in a chat, by whom it is for");
    Ok(WRONG_USE)
}
