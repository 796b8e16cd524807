//! What people answer where a trigger asks about files: take them, leave them, always from now on; and the one question
//! about many. Whatever is started here is started under the key of the question, so that pressing twice is pressing once.

use crate::domain::role::Action;
use crate::domain::time::Timestamp;
use crate::domain::trigger::Verdict;
use crate::service::Caller;
use crate::service::error::ServiceError;
use crate::service::people::Target;
use crate::service::runs::Service;
use crate::store::firings::{Firing, NewFiring, Then};
use crate::store::triggers::StoredTrigger;

pub use crate::store::asking::{Flood, FloodFile};

use super::occur::{Came, Occurrence};
use super::view::name_of;

/// What was answered about many files.
pub const ALL: &str = "all";
/// The same, for none of those that are left.
pub const NONE: &str = "none";
/// How long a question that is dealt with is kept, in microseconds: 30 days.
const KEPT: i64 = 30 * 86_400 * 1_000_000;

/// A trigger that asks, for those who answer.
#[derive(Debug, Clone)]
pub struct Asking {
    /// Its key.
    pub key: String,
    /// Its name, as `intake/drop`.
    pub name: String,
    /// What its workflow is called.
    pub workflow: String,
    /// Whether whoever is asked may let it start by itself.
    pub may_always: bool,
}

impl Service {
    /// A trigger that asks somebody, by its name.
    ///
    /// # Errors
    /// There is none for them, or the store fails.
    pub async fn asking(&self, caller: &Caller, name: &str) -> Result<Asking, ServiceError> {
        let trigger = self.seen_by(caller).trigger_row(name, None).await?;
        let saved = self.engine().store().workflows().find(trigger.workflow_id).await?;
        let (workflow, may_always) = match &saved {
            Some(saved) => {
                let permissions = self.access_rules(saved).await?;
                (saved.name.clone(), caller.may_with(Action::Schedule, &permissions))
            }
            None => (trigger.slug.clone(), false),
        };
        Ok(Asking { name: name_of(&trigger), key: trigger.key, workflow, may_always })
    }

    /// Starts what a trigger asked about, or what it recognised. `salt`: what makes two such wishes different ones.
    ///
    /// # Errors
    /// They may not, there is no such question, the store fails, or nothing new is taken in now.
    pub async fn take_asked(&self, caller: &Caller, firing: &str, salt: &str) -> Result<Option<Came>, ServiceError> {
        let Some((asked, trigger)) = self.asked_about(firing).await? else { return Ok(None) };
        let occurrence = Occurrence {
            kind: trigger.spec.kind.word(),
            name: asked.facts["file"]["name"].as_str().unwrap_or_default().to_owned(),
            key: format!("wanted:{salt}:{firing}"),
            facts: asked.facts,
            only: Some(trigger.key),
            who: Some(caller.clone()),
            is_wanted: true,
            ..Occurrence::default()
        };
        Ok(self.occur(&occurrence).await?.pop())
    }

    /// Somebody was asked, and says no.
    ///
    /// # Errors
    /// There is no such question, or the store fails.
    pub async fn decline_asked(&self, caller: &Caller, firings: &[String]) -> Result<(), ServiceError> {
        for firing in firings {
            let Some((asked, trigger)) = self.asked_about(firing).await? else { continue };
            let at = self.engine().clock().now();
            let declined = NewFiring {
                key: format!("declined:{firing}"),
                trigger: trigger.key,
                at,
                nominal: None,
                count: 1,
                verdict: Verdict::Declined,
                reason: format!("{} was asked and said no", caller.name),
                run: None,
                facts: asked.facts,
                forget: None,
                then: Then::Stays,
            };
            drop(self.note(declined).await?); // said twice, it is said once
        }
        Ok(())
    }

    /// From now on the trigger starts by itself where this came, wherever somebody says so: a question may have been
    /// asked elsewhere, in a conversation with them alone.
    ///
    /// # Errors
    /// They may not, there is no such trigger or question, or the store fails.
    pub async fn always(&self, caller: &Caller, (name, firing): (&str, &str)) -> Result<(), ServiceError> {
        let trigger = self.trigger_for(caller, Action::Schedule, (name, None)).await?;
        let triggers = self.engine().store().triggers();
        let absent = || ServiceError::NotFound { noun: "question", name: name.to_owned(), near: None };
        let facts = triggers.firing(firing).await?.ok_or_else(absent)?.facts;
        let part = |key: &str| facts[key].as_str().unwrap_or_default().to_owned();
        let place = format!("{}:{}", part("platform"), part("channel_id"));
        Ok(triggers.say_always(&trigger.key, &place, &caller.name, self.engine().clock().now()).await?)
    }

    /// Whether a trigger that asks starts by itself in the place of somebody.
    pub(super) async fn starts_always(&self, trigger: &StoredTrigger, who: &Caller) -> Result<bool, ServiceError> {
        Ok(self.engine().store().triggers().is_always(&trigger.key, &place_of(who)).await?)
    }

    /// Puts a file, that came with many others, into the one question about them. `place`: where it is asked.
    ///
    /// # Errors
    /// The store fails.
    pub async fn join_flood(&self, place: &str, came: &Came) -> Result<(), ServiceError> {
        let triggers = self.engine().store().triggers();
        let Some((_, trigger)) = self.asked_about(&came.key).await? else { return Ok(()) };
        let file = &came.firing.facts["file"];
        let (name, size) = (file["name"].as_str().unwrap_or_default(), file["size"].as_u64().unwrap_or(0));
        let (id, at) = (self.fresh_id(), self.engine().clock().now());
        Ok(triggers.flood(&id, (&trigger.key, place), (&came.key, name, size), at).await?)
    }

    /// Starts one file of a question about many.
    ///
    /// # Errors
    /// They may not, the store fails, or nothing new is taken in now.
    pub async fn take_of_flood(&self, caller: &Caller, file: &FloodFile) -> Result<Option<Came>, ServiceError> {
        let came = self.take_asked(caller, &file.firing, "flood").await?;
        let run = came.as_ref().and_then(|came| came.firing.execution_id.as_ref()?.parse().ok());
        if let Some(run) = run {
            self.engine().store().triggers().flood_started(&file.firing, run).await?;
        }
        Ok(came)
    }

    /// The questions about many files that are open, or whose executions are under way.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open_floods(&self) -> Result<Vec<Flood>, ServiceError> {
        Ok(self.engine().store().triggers().open_floods().await?)
    }

    /// One question about many files.
    ///
    /// # Errors
    /// The store fails.
    pub async fn find_flood(&self, id: &str) -> Result<Option<Flood>, ServiceError> {
        Ok(self.engine().store().triggers().find_flood(id).await?)
    }

    /// The files of such a question, with how their executions stand.
    ///
    /// # Errors
    /// The store fails.
    pub async fn flood_files(&self, id: &str) -> Result<Vec<FloodFile>, ServiceError> {
        Ok(self.engine().store().triggers().flood_files(id).await?)
    }

    /// Notes the message in which such a question stands.
    ///
    /// # Errors
    /// The store fails.
    pub async fn flood_shown(&self, id: &str, message: &str) -> Result<(), ServiceError> {
        Ok(self.engine().store().triggers().flood_shown(id, message).await?)
    }

    /// Keeps what somebody answered for all files that are left; the first answer counts.
    ///
    /// # Errors
    /// The store fails.
    pub async fn decide_flood(&self, id: &str, decision: &str, by: &str) -> Result<(), ServiceError> {
        Ok(self.engine().store().triggers().decide_flood(id, decision, by).await?)
    }

    /// Nothing more comes of such a question.
    ///
    /// # Errors
    /// The store fails.
    pub async fn close_flood(&self, id: &str) -> Result<(), ServiceError> {
        let at = self.engine().clock().now();
        Ok(self.engine().store().triggers().close_flood(id, at).await?)
    }

    /// What a trigger is called, and its workflow; where it is gone, what is known of it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn rule_of(&self, key: &str) -> Result<(String, String), ServiceError> {
        let Some(trigger) = self.engine().store().triggers().find(key).await? else {
            return Ok((key.to_owned(), "a workflow that is gone".to_owned()));
        };
        let saved = self.engine().store().workflows().find(trigger.workflow_id).await?;
        Ok((name_of(&trigger), saved.map_or_else(|| trigger.slug.clone(), |saved| saved.name)))
    }

    /// Whether somebody may say what becomes of the files for which a trigger waits.
    ///
    /// # Errors
    /// They may not, or the store fails.
    pub async fn may_decide(&self, caller: &Caller, key: &str) -> Result<(), ServiceError> {
        let trigger = self.engine().store().triggers().find(key).await?;
        let absent = || ServiceError::NotFound { noun: "trigger", name: key.to_owned(), near: None };
        let workflow = trigger.ok_or_else(absent)?.workflow_id;
        match self.engine().store().workflows().find(workflow).await? {
            Some(saved) => self.check(caller, Action::Start, Target::Saved(&saved)).await,
            None => Err(absent()),
        }
    }

    /// Forgets questions about many files that were dealt with long ago.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_floods(&self) -> Result<(), ServiceError> {
        let before = Timestamp::from_micros(self.engine().clock().now().micros() - KEPT);
        Ok(self.engine().store().triggers().expire_floods(before).await?)
    }

    /// What came of something at first, and its trigger.
    async fn asked_about(&self, firing: &str) -> Result<Option<(Firing, StoredTrigger)>, ServiceError> {
        let triggers = self.engine().store().triggers();
        let Some(asked) = triggers.firing(firing).await? else { return Ok(None) };
        let trigger = triggers.find(&asked.trigger).await?.filter(|trigger| trigger.removed_at.is_none());
        Ok(trigger.map(|trigger| (asked, trigger)))
    }
}

/// The place in which somebody speaks, without the thread: what is said in a channel holds in all of it.
fn place_of(caller: &Caller) -> String {
    let place = caller.channel.as_deref().unwrap_or(caller.door);
    let (platform, channel) = place.split_once(':').unwrap_or(("", place));
    format!("{platform}:{}", channel.split('/').next().unwrap_or_default())
}
