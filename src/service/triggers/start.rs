//! From a firing to a run: both in one commit, or neither.

use serde_json::{Map, Value, json};

use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::RunId;
use crate::domain::plan::InputType;
use crate::domain::time::Timestamp;
use crate::domain::trigger::{TriggerKind, Verdict};
use crate::language::Happening;
use crate::service::error::ServiceError;
use crate::service::library::Ready;
use crate::service::origin::Origin;
use crate::service::runs::Service;
use crate::store::firings::{Firing, NewFiring, Then};
use crate::store::triggers::StoredTrigger;

/// What somebody knows of an occurrence when a run is to be made of it.
pub(super) struct Wanted {
    /// What makes two occurrences the same, should this one start a run.
    pub key: String,
    /// What is its own: what came of it is kept under this where no run was started, so that another one of the same
    /// content may. The same counts only from this time on.
    pub own: (String, Option<Timestamp>),
    /// What happened.
    pub facts: Value,
    /// Its instant.
    pub nominal: Option<Timestamp>,
    /// An earlier one with this key counts only from this time on.
    pub forget: Option<Timestamp>,
    /// How many executions stand behind it.
    pub depth: u32,
    /// Who did it, in a conversation.
    pub by: Option<Origin>,
    /// Why it was started, for whoever asks.
    pub reason: String,
    /// How the trigger stands afterwards.
    pub then: Then,
}

impl Wanted {
    /// An instant of a schedule, which is one by its key alone.
    pub fn instant(key: String, facts: Value, at: Timestamp, (reason, then): (String, Then)) -> Self {
        let own = (key.clone(), None);
        Self { key, own, facts, nominal: Some(at), forget: None, depth: 0, by: None, reason, then }
    }

    /// The firing that says that no run was started.
    pub fn without(&self, trigger: &StoredTrigger, at: Timestamp, (verdict, reason): (Verdict, String)) -> NewFiring {
        NewFiring {
            key: self.own.0.clone(),
            trigger: trigger.key.clone(),
            at,
            nominal: self.nominal.map(|at| (at, at)),
            count: 1,
            verdict,
            reason,
            run: None,
            facts: self.facts.clone(),
            forget: self.own.1,
            then: self.then.clone(),
        }
    }

    /// What is told of one that waits until nothing more has come; kept nowhere, for nothing came of it yet.
    pub fn held(&self, trigger: &StoredTrigger, at: Timestamp) -> Firing {
        let quiet = trigger.spec.debounce.unwrap_or_default();
        Firing {
            key: self.key.clone(),
            trigger: trigger.key.clone(),
            at,
            nominal: None,
            count: 1,
            verdict: Verdict::Held.word().to_owned(),
            reason: format!("it starts once nothing more has come for {quiet}"),
            run: None,
            facts: self.facts.clone(),
            repeats: 0,
        }
    }
}

/// What came of it.
pub(super) enum Outcome {
    /// Kept now.
    New(Firing),
    /// The same had come before; what came of it then.
    Known(Firing),
    /// It waits until nothing more has come.
    Held(Box<Firing>),
    /// The trigger was changed meanwhile; it is looked at anew.
    Stale,
}

impl Outcome {
    pub fn firing(self) -> Option<(Firing, bool)> {
        match self {
            Self::New(firing) => Some((firing, true)),
            Self::Known(firing) => Some((firing, false)),
            Self::Held(firing) => Some((*firing, true)),
            Self::Stale => None,
        }
    }
}

impl Service {
    /// Starts a run of a trigger's workflow, or keeps why there is none.
    pub(super) async fn fire(&self, trigger: &StoredTrigger, wanted: Wanted) -> Result<Outcome, ServiceError> {
        let now = self.engine().clock().now();
        let refused = match self.prepared(trigger, &wanted).await {
            Ok((ready, inputs)) => match self.begin_fired(trigger, &wanted, (ready, inputs)).await {
                Ok(started) => return Ok(started),
                Err(error) => error,
            },
            Err(error) => error,
        };
        match refused {
            // Not for this occurrence to be lost: whoever asks comes again.
            error @ (ServiceError::Stopping | ServiceError::Disk(_) | ServiceError::NoDisk { .. }) => Err(error),
            error => {
                let verdict = (Verdict::Refused, error.to_string());
                self.note(wanted.without(trigger, now, verdict)).await
            }
        }
    }

    /// Keeps what came of an occurrence that started nothing.
    pub(super) async fn note(&self, firing: NewFiring) -> Result<Outcome, ServiceError> {
        let triggers = self.engine().store().triggers();
        let key = firing.key.clone();
        let noted = triggers.note(std::slice::from_ref(&firing)).await;
        match noted {
            Ok(()) => Ok(triggers.firing(&key).await?.map_or(Outcome::Stale, Outcome::New)),
            Err(crate::store::StoreError::Conflict(_)) => self.known_firing(&key).await,
            Err(error) => Err(error.into()),
        }
    }

    /// What came of the occurrence with this key, which has come again.
    pub(super) async fn known_firing(&self, key: &str) -> Result<Outcome, ServiceError> {
        let triggers = self.engine().store().triggers();
        let Some(known) = triggers.firing(key).await? else { return Ok(Outcome::Stale) };
        triggers.note_repeat(key).await?;
        Ok(Outcome::Known(known))
    }

    async fn prepared(
        &self,
        trigger: &StoredTrigger,
        wanted: &Wanted,
    ) -> Result<(Ready, Map<String, Value>), ServiceError> {
        let ready = self.shelf().ready(&trigger.workflow_id.to_string(), false).await?;
        let happening = Happening::new(wanted.facts.clone());
        let inputs = match &trigger.spec.inputs {
            Some(inputs) => happening.render(inputs).map_err(|fault| ServiceError::Inputs(vec![fault]))?,
            None => usual_inputs(&trigger.spec.kind, &wanted.facts, &ready),
        };
        match inputs {
            Value::Object(inputs) => Ok((ready, inputs)),
            _ => {
                let fault = Fault::permanent(code::WF2005, "the inputs of a trigger are a map");
                Err(ServiceError::Inputs(vec![fault]))
            }
        }
    }

    async fn begin_fired(
        &self,
        trigger: &StoredTrigger,
        wanted: &Wanted,
        (ready, inputs): (Ready, Map<String, Value>),
    ) -> Result<Outcome, ServiceError> {
        let clock = self.engine().clock();
        let (id, now) = (RunId::from_bits(clock.id_bits()), clock.now());
        let origin = self.origin_of(trigger, wanted, &ready).await?;
        let mut firing = wanted.without(trigger, now, (Verdict::Started, wanted.reason.clone()));
        (firing.key, firing.forget, firing.run) = (wanted.key.clone(), wanted.forget, Some(id));
        let begun = self.begin(id, (origin, Some(Box::new(firing))), ready, &inputs).await;
        let triggers = self.engine().store().triggers();
        match begun {
            Ok(_) => Ok(triggers.firing(&wanted.key).await?.map_or(Outcome::Stale, Outcome::New)),
            // The schema refuses what is there already, and what has seen an older trigger: which of the two it was
            // stands in the store.
            Err(ServiceError::Internal(why)) => match self.known_firing(&wanted.key).await? {
                Outcome::Stale if triggers.find(&trigger.key).await?.is_some_and(|now| now.rev == trigger.rev) => {
                    Err(ServiceError::Internal(why))
                }
                known => Ok(known),
            },
            Err(error) => Err(error),
        }
    }
}

/// The input by which a workflow is given a file.
pub(super) fn file_input(ready: &Ready) -> &str {
    let mut declared = ready.flow.plan.inputs.iter().flatten();
    declared.find(|input| input.kind == InputType::File).map_or("file_path", |input| input.name.as_str())
}

/// What a run is given when its trigger does not say.
fn usual_inputs(kind: &TriggerKind, facts: &Value, ready: &Ready) -> Value {
    let declared = ready.flow.plan.inputs.as_deref();
    let of = |value: &Value| match value {
        Value::Object(map) => {
            let fits = |name: &String| declared.is_none_or(|declared| declared.iter().any(|spec| spec.name == *name));
            Value::Object(
                map.iter().filter(|(name, _)| fits(name)).map(|(name, value)| (name.clone(), value.clone())).collect(),
            )
        }
        _ => json!({}),
    };
    match kind {
        TriggerKind::Event { .. } | TriggerKind::Manual => of(&facts["data"]),
        TriggerKind::Command { .. } | TriggerKind::Reaction { .. } => {
            let mut inputs = of(&facts["data"]);
            if facts["file"]["id"].is_string() {
                inputs[file_input(ready)] = facts["file"]["id"].clone();
            }
            inputs
        }
        TriggerKind::Webhook(_) => of(&facts["body"]),
        TriggerKind::File(_) => json!({ (file_input(ready)): facts["file"]["id"] }),
        TriggerKind::Schedule(_) | TriggerKind::Workflow { .. } => json!({}),
    }
}
