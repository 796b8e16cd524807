//! In whose name a run is started. Whoever does something in a conversation does it as themselves; a trigger with `run_as`
//! lends another identity, which is looked at twice: when the trigger is saved, whether whoever saves it may lend it, and
//! when it fires, whether that person may start the workflow.

use serde_json::Map;

use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::RunId;
use crate::domain::role::Action;
use crate::domain::trigger::{TriggerKind, TriggerSpec, Verdict};
use crate::service::Caller;
use crate::service::conversations::RunMessage;
use crate::service::error::ServiceError;
use crate::service::library::Ready;
use crate::service::origin::Origin;
use crate::service::people::{Target, user_of};
use crate::service::runs::Service;
use crate::store::triggers::StoredTrigger;

use super::occur::Occurrence;
use super::start::Wanted;
use super::view::name_of;

impl Service {
    /// Whether somebody may save these triggers of a workflow, as far as they lend identities.
    ///
    /// # Errors
    /// One names nobody, or somebody whom they may not lend.
    pub(in crate::service) async fn check_lent(
        &self,
        caller: &Caller,
        workflow: &str,
        triggers: &[TriggerSpec],
    ) -> Result<(), ServiceError> {
        for spec in triggers {
            let Some(name) = &spec.run_as else { continue };
            self.lent_person(name).await.map_err(|why| refused(&spec.id, &why))?;
            let about = format!("{workflow}/{} as {name}", spec.id);
            self.permit_lending(caller, name, &about).await?;
        }
        Ok(())
    }

    /// Whether whoever does something may start the workflow; `None`: they may. `is_start`: it is about to be.
    pub(super) async fn may_not_start(
        &self,
        trigger: &StoredTrigger,
        occurrence: &Occurrence,
        is_start: bool,
    ) -> Result<Option<(Verdict, String)>, ServiceError> {
        let Some(caller) = occurrence.who.as_ref().filter(|_| trigger.spec.run_as.is_none()) else { return Ok(None) };
        let ready = match self.shelf().ready(&trigger.workflow_id.to_string(), false).await {
            Ok(ready) => ready,
            Err(ServiceError::Definition(_)) => return Ok(None), // said when it is to be started
            Err(error) => return Err(error),
        };
        let permitted = match is_start {
            true => self.permit_with(caller, Action::Start, Target::Workflow(&ready), &Map::new()).await,
            false => self.check(caller, Action::Start, Target::Workflow(&ready)).await,
        };
        match permitted {
            Ok(()) => Ok(None),
            Err(error @ (ServiceError::Denied(_) | ServiceError::NotFound { .. })) => {
                Ok(Some((Verdict::Refused, format!("{} may not: {error}", caller.name))))
            }
            Err(error) => Err(error),
        }
    }

    /// Where a run comes from that this trigger starts.
    ///
    /// # Errors
    /// Nobody is called as `run_as` says, or they may not start the workflow.
    pub(super) async fn origin_of(
        &self,
        trigger: &StoredTrigger,
        wanted: &Wanted,
        ready: &Ready,
    ) -> Result<Origin, ServiceError> {
        let kind = trigger.spec.kind.word();
        let bare = || Origin { door: kind.to_owned(), name: kind.to_owned(), ..Origin::default() };
        let by = wanted.by.clone();
        let mut origin = match &trigger.spec.run_as {
            None => by.unwrap_or_else(bare),
            Some(name) => self.lent_origin(trigger, name, (by, ready)).await?,
        };
        let is_drop = matches!(trigger.spec.kind, TriggerKind::File(_) | TriggerKind::Reaction { .. });
        origin.undoable = is_drop && wanted.by.is_some();
        origin.trigger = Some(name_of(trigger));
        origin.occasion = Some(wanted.reason.clone());
        origin.depth = wanted.depth;
        Ok(origin)
    }

    /// What was kept for a while and starts now has nobody who waits for it: its card is wanted where it was brought.
    pub(super) async fn want_its_card(&self, by: Option<&Origin>, run: Option<RunId>) -> Result<(), ServiceError> {
        let (Some(by), Some(run)) = (by, run) else { return Ok(()) };
        let Some((platform, place)) = by.channel.as_deref().and_then(|at| at.split_once(':')) else { return Ok(()) };
        let (channel, thread) =
            place.split_once('/').map_or((place, None), |(channel, thread)| (channel, Some(thread)));
        let wanted = RunMessage {
            run,
            platform: platform.to_owned(),
            channel: channel.to_owned(),
            thread: thread.map(str::to_owned),
            requester: user_of(by),
            message: None,
            sent: 0,
            is_final: false,
            told: String::new(),
            created_at: self.now(),
        };
        self.conversations().want_card(wanted).await.map(drop)
    }

    async fn lent_origin(
        &self,
        trigger: &StoredTrigger,
        name: &str,
        (by, ready): (Option<Origin>, &Ready),
    ) -> Result<Origin, ServiceError> {
        let person = self.lent_person(name).await.map_err(|why| refused(&trigger.name, &why))?;
        let (trigger_name, kind) = (name_of(trigger), trigger.spec.kind.word());
        let channel = by.as_ref().and_then(|by| by.channel.clone());
        let door = by.as_ref().map_or(kind, |by| by.door.as_str()).to_owned();
        self.permit_lent(&person, (kind, channel.as_deref()), (ready, &trigger_name)).await?;
        let (identity, name) = (person.name.clone(), person.name);
        let brought_by = by.map(|by| if by.identity.is_empty() { by.name } else { by.identity });
        Ok(Origin { door, name, identity, channel, brought_by, ..Origin::default() })
    }
}

fn refused(trigger: &str, why: &str) -> ServiceError {
    let fault = Fault::permanent(code::WF5152, format!("`run_as` of trigger `{trigger}`: {why}"));
    ServiceError::Inputs(vec![fault])
}
