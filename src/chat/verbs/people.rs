//! `whoami`, `link`, `people`, `audit`: who somebody is here, who else there is, and who did what.

use super::super::grammar::{VERBS, inert};
use super::super::talk::{No, Reply, Talk};
use crate::domain::card::{Card, CardKind, Line};
use crate::domain::role::Role;
use crate::service::verbs::{Audit, Link, People, PeopleWish, action_of};
use crate::service::{PersonView, ServiceError, TraceFilter};

/// Who speaks, why they are it, and what they may do here.
pub async fn whoami(talk: &Talk<'_>) -> Result<Reply, No> {
    let (caller, place) = (&talk.caller, talk.here());
    let mut card = Card::new(CardKind::Answer, format!("You are {}", inert(&caller.name, 100)))
        .field("identity", inert(caller.identity(), 100))
        .field("role", caller.role().word())
        .field("why", inert(&caller.why(), 200))
        .field("platform", talk.adapter.traits().platform)
        .field("channel", inert(&place.channel, 60));
    if let Some((at_most, rule)) = caller.ceiling() {
        card = card.field("here", format!("at most what a {at_most} may do (`channel_roles`: {})", inert(rule, 80)));
    }
    Ok(Reply::Private(card.field("may", allowed(talk).await?.join(", "))))
}

/// The verbs that somebody can use here, in the order in which help lists them.
pub async fn allowed(talk: &Talk<'_>) -> Result<Vec<&'static str>, ServiceError> {
    let possible = talk.means.service.possible(&talk.caller).await?;
    Ok(VERBS.iter().map(|(name, _)| *name).filter(|name| possible.contains(&action_of(name))).collect())
}

/// Somebody says the code that an admin gave them.
pub async fn link(talk: &Talk<'_>, args: &Link) -> Result<Reply, No> {
    let person = talk.means.service.link(&talk.caller, &args.code.concat()).await?;
    let card = Card::new(CardKind::Answer, format!("You are {} here now", inert(&person.name, 64)))
        .field("role", person.role.word())
        .field("more", "`whoami` tells what you may do");
    Ok(Reply::Sealed(card))
}

/// Who is who.
pub async fn people(talk: &Talk<'_>, args: &People) -> Result<Reply, No> {
    let (service, caller) = (&talk.means.service, &talk.caller);
    let wish = args.wish().map_err(|why| No::because(why, "`help people` shows how it is used"))?;
    Ok(Reply::Sealed(match wish {
        PeopleWish::List => {
            let people = service.people(caller).await?;
            let mut card = Card::new(CardKind::List, "People");
            card.lines = people.iter().map(line).collect();
            if people.is_empty() { card.verdict("nobody yet: `people add NAME --role operator`") } else { card }
        }
        PeopleWish::Add { name, role } => told(&service.add_person(caller, &name, role).await?),
        PeopleWish::Role { name, role } => told(&service.set_role(caller, &name, role).await?),
        PeopleWish::Unlink { name, identity } => told(&service.unlink(caller, &name, identity.as_deref()).await?),
        PeopleWish::Remove { name } => {
            service.remove_person(caller, &name).await?;
            Card::new(CardKind::Answer, format!("{} is gone", inert(&name, 64)))
        }
        PeopleWish::Code { name } => {
            let code = service.give_code(caller, &name).await?;
            Card::new(
                CardKind::Answer,
                format!("A code for {}, good once, until {}", inert(&name, 64), code.expires_at),
            )
            .field("they say", format!("`{}`, to me alone", code.say))
        }
    }))
}

fn told(person: &PersonView) -> Card {
    let mut card = Card::new(CardKind::Answer, format!("{} is {}", inert(&person.name, 64), article(person.role)));
    card.lines = vec![line(person)];
    card
}

fn article(role: Role) -> String {
    match role {
        Role::None => "nobody in particular".to_owned(),
        Role::Operator | Role::Editor | Role::Admin => format!("an {role}"),
        Role::Viewer | Role::Runner => format!("a {role}"),
    }
}

fn line(person: &PersonView) -> Line {
    let links: Vec<_> = person.links.iter().map(|link| inert(&link.identity, 80)).collect();
    let links = if links.is_empty() { "linked to nothing".to_owned() } else { links.join(", ") };
    Line {
        status: person.role.word().to_owned(),
        text: inert(&person.name, 64),
        detail: Some(links),
        ..Line::default()
    }
}

/// Who did what, newest first.
pub async fn audit(talk: &Talk<'_>, args: &Audit) -> Result<Reply, No> {
    let filter = TraceFilter { before: None, identity: args.by.clone(), denied: args.denied, limit: args.limit };
    let lines = talk.means.service.trail(&talk.caller, &filter).await?;
    let mut card = Card::new(CardKind::List, "Who did what, newest first");
    card.lines = lines.iter().map(|line| Line { text: inert(&line.told(), 400), ..Line::default() }).collect();
    Ok(Reply::Sealed(if lines.is_empty() { card.verdict("nothing") } else { card }))
}
