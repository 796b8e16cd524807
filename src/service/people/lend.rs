//! Identities that are lent: by a trigger's `run_as`, and for a moment to whoever did by mistake what a trigger waited for.

use super::super::error::ServiceError;
use super::super::library::Ready;
use super::super::origin::Origin;
use super::super::runs::Service;
use super::caller::{Caller, account_of};
use super::gate::{Target, origin};
use super::trail::Step;
use crate::domain::command::Command;
use crate::domain::id::RunId;
use crate::domain::role::{Action, Denial, Resource, Role, Standing, Subject, Verdict, may};
use crate::store::people::Person;

/// What it is called in the trail when an identity is lent.
const LEND: &str = "lend";
/// And when something is undone.
const UNDO: &str = "undo";

/// What stands behind the name of whoever undid an execution that was under way.
const WHO_UNDID: &str = ", who undid it";

/// Who undid an execution, by what its cancel says.
pub(in crate::service) fn undone_by(cancelled_by: &str) -> Option<&str> {
    cancelled_by.strip_suffix(WHO_UNDID)
}

/// What the platform calls whoever an execution comes from.
pub(in crate::service) fn user_of(origin: &Origin) -> String {
    let known = origin.account.as_ref().unwrap_or(&origin.identity);
    account_of(known).map_or_else(|| origin.name.clone(), |account| account.user)
}

/// What came of undoing an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    /// It was under way, and is cancelled.
    Cancelled,
    /// It was over; this execution takes back what it did.
    TakenBack(RunId),
    /// It was over, and had done nothing that stays.
    Nothing,
}

impl Service {
    /// The person of this name.
    ///
    /// # Errors
    /// There is none, with the nearest; the store fails.
    pub(in crate::service) async fn lent_person(&self, name: &str) -> Result<Person, String> {
        let people = self.engine().store().people();
        let found = people.find(name).await.map_err(|error| error.to_string())?;
        if let Some(person) = found {
            return Ok(person);
        }
        let all = people.all().await.map_err(|error| error.to_string())?;
        let near = crate::language::near(name, all.iter().map(|person| person.name.as_str()));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Err(format!("there is no person `{name}`{near}"))
    }

    /// Whether somebody may lend a person's identity: everybody their own, an admin anybody's. The trail says so.
    ///
    /// # Errors
    /// They may not, or the store fails.
    pub(in crate::service) async fn permit_lending(
        &self,
        caller: &Caller,
        name: &str,
        about: &str,
    ) -> Result<(), ServiceError> {
        let is_own = caller.subject().is(name);
        let is_allowed = is_own || caller.is_unbound();
        let rule = match (is_own, is_allowed) {
            (true, _) => "it is their own name".to_owned(),
            (false, true) => "role admin".to_owned(),
            (false, false) => format!("role {}, needs admin to lend somebody else's name", caller.role()),
        };
        self.leave_trace(caller, Step::of(LEND, Some(about.to_owned())).by(is_allowed, &rule)).await?;
        if is_allowed {
            return Ok(());
        }
        let (has, needs) = (caller.role(), Role::Admin);
        Err(ServiceError::Denied(Denial::Role { action: Action::People, has, needs }))
    }

    /// Whether a person whose name a trigger lends may start the workflow, as their role and the workflow's rules are
    /// now. The trail says so.
    ///
    /// # Errors
    /// They may not, or the store fails.
    pub(in crate::service) async fn permit_lent(
        &self,
        person: &Person,
        (door, channel): (&'static str, Option<&str>),
        (ready, trigger): (&Ready, &str),
    ) -> Result<(), ServiceError> {
        let subject = Subject {
            identity: person.name.clone(),
            alias: None,
            role: person.role,
            standing: Standing::Member,
            place: None,
            ceiling: None,
            home: None,
        };
        let on = Resource { permissions: Some(&ready.flow.plan.permissions), ..Resource::default() };
        let (is_allowed, rule, denial) = match may(&subject, Action::Start, &on) {
            Verdict::Allow(rule) => (true, rule, None),
            Verdict::Deny(denial) => (false, denial.rule(), Some(denial)),
        };
        let caller = Caller::lent(door, channel, subject);
        let rule = format!("{rule}, lent by `run_as` of {trigger}");
        let step = Step::of(Action::Start.word(), Some(ready.slug.clone())).by(is_allowed, &rule);
        self.leave_trace(&caller, step).await?;
        denial.map_or(Ok(()), |denial| Err(ServiceError::Denied(denial)))
    }

    /// Undoes an execution that a trigger started on what somebody did: one that is under way is cancelled, one that is
    /// over is taken back. Whoever did it may, also where it runs in another name; so may whoever may cancel it.
    ///
    /// # Errors
    /// They may not, there is no such execution, or what it did cannot be taken back by them.
    pub async fn undo(&self, caller: &Caller, run: RunId) -> Result<Undone, ServiceError> {
        let absent = || ServiceError::NotFound { noun: "execution", name: run.to_string(), near: None };
        let row = self.engine().store().runs().find(run).await?.ok_or_else(absent)?;
        let origin = origin(&row);
        let brought = origin.brought_by.as_deref().is_some_and(|who| caller.subject().is(who));
        let about = || Step::of(UNDO, Some(run.to_string()));
        if brought || origin.is_of(caller) {
            self.leave_trace(caller, about().by(true, "whoever did it may undo it")).await?;
        } else {
            self.permit(caller, Action::Cancel, Target::Run(run)).await?;
            self.leave_trace(caller, about().by(true, "whoever may cancel it may undo it")).await?;
        }
        if row.finished_at.is_none() {
            let by = format!("{}{WHO_UNDID}", caller.name);
            match self.command(run, Command::Cancel { by }).await {
                Ok(_) => return Ok(Undone::Cancelled),
                // It ended just now; then what it did is what counts.
                Err(ServiceError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let left = self.archive().effects(run, None).await?;
        if !left.iter().any(|effect| effect.undone_by.is_none() && effect.undo.starts_with("by_")) {
            return Ok(Undone::Nothing);
        }
        let begun = self.roll_back(caller, run, None).await?;
        Ok(begun.execution_id.parse().map_or(Undone::Nothing, Undone::TakenBack))
    }
}
