//! People, from a terminal: in the process that owns the storage path, and over there in a running service.

use serde_json::{Value, json};

use super::remote::{Refusal, Remote, part, read};
use crate::connect::http::Method;
use crate::service::verbs::PeopleWish;
use crate::service::{Caller, Service, ServiceError, TraceFilter, TraceView};

/// Says who is who in this process, or changes it.
///
/// # Errors
/// It is not for this caller, or there is no such person.
pub async fn change(service: &Service, caller: &Caller, wish: PeopleWish) -> Result<Value, ServiceError> {
    Ok(match wish {
        PeopleWish::List => json!(service.people(caller).await?),
        PeopleWish::Add { name, role } => json!(service.add_person(caller, &name, role).await?),
        PeopleWish::Role { name, role } => json!(service.set_role(caller, &name, role).await?),
        PeopleWish::Code { name } => json!(service.give_code(caller, &name).await?),
        PeopleWish::Unlink { name, identity } => json!(service.unlink(caller, &name, identity.as_deref()).await?),
        PeopleWish::Remove { name } => json!(service.remove_person(caller, &name).await?),
    })
}

impl Remote {
    /// Says who is who there, or changes it; the answer as it stands in JSON.
    ///
    /// # Errors
    /// No such person, it is refused, or no answer.
    pub async fn people(&self, wish: &PeopleWish) -> anyhow::Result<Value> {
        let of = |name: &str| -> Result<String, Refusal> { Ok(format!("api/people/{}", part(name)?)) };
        match wish {
            PeopleWish::List => {
                let mut answer: Value = self.get("api/people", &[]).await?;
                Ok(answer["people"].take())
            }
            PeopleWish::Add { name, role } => self.post("api/people", &json!({ "name": name, "role": role })).await,
            PeopleWish::Role { name, role } => {
                read(self.link.ask(Method::PUT, &of(name)?, &[], Some(&json!({ "role": role }))).await?)
            }
            PeopleWish::Code { name } => self.post(&format!("{}/code", of(name)?), &json!({})).await,
            PeopleWish::Unlink { name, identity } => {
                self.post(&format!("{}/unlink", of(name)?), &json!({ "identity": identity })).await
            }
            PeopleWish::Remove { name } => {
                let _: Value = read(self.link.ask(Method::DELETE, &of(name)?, &[], None).await?)?;
                Ok(Value::Null)
            }
        }
    }

    /// Who did what there, newest first.
    ///
    /// # Errors
    /// No answer.
    pub async fn trail(&self, filter: &TraceFilter) -> anyhow::Result<Vec<TraceView>> {
        let identity = filter.identity.clone().map(|identity| ("identity", identity));
        let rest = [("denied", filter.denied.to_string()), ("limit", filter.limit.to_string())];
        let query: Vec<_> = identity.into_iter().chain(rest).collect();
        let mut answer: Value = self.get("api/audit", &query).await?;
        Ok(serde_json::from_value(answer["lines"].take())?)
    }
}
