//! People: taken in, given a role, linked to what platforms call them. A link is made by a code alone, which an admin
//! hands over and the person says to us; never by a name or an address that somebody could choose.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::error::ServiceError;
use super::super::runs::Service;
use super::caller::{Caller, account_of, text_of};
use super::gate::Target;
use super::trail::Step;
use crate::contract::blob::Digest;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::role::{Action, Role, Standing};
use crate::domain::time::{Span, Timestamp};
use crate::store::people::{Link, Person};

/// How long a code counts.
const LIFE: Span = Span::from_secs(15 * 60);
/// Wrong codes within that time: by one, and by all together.
const WRONG: (i64, i64) = (5, 50);
/// The signs of a code: none that is easily taken for another.
const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Signs of a code, in groups of four: 60 bits.
const SIGNS_OF_CODE: usize = 12;
/// Characters of a name.
const LONGEST_NAME: usize = 64;

/// A person, with what platforms call them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PersonView {
    /// The name.
    pub name: String,
    /// What they may do.
    #[schema(value_type = String)]
    pub role: Role,
    /// Since when; RFC 3339.
    pub created_at: String,
    /// What platforms call them.
    pub links: Vec<AccountView>,
}

/// What a platform calls somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AccountView {
    /// As in `slack:T01/U01ALICE`.
    pub identity: String,
    /// What the platform showed as their name then.
    pub shown: String,
    /// Since when; RFC 3339.
    pub linked_at: String,
}

/// A code, to be handed to the person whom it is for. It is shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Code {
    /// The person.
    pub name: String,
    /// The code.
    pub code: String,
    /// Until when it counts; RFC 3339.
    pub expires_at: String,
    /// What they say in the chat.
    pub say: String,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Service {
    /// Everybody, by name.
    ///
    /// # Errors
    /// It is not for this caller, or the store fails.
    pub async fn people(&self, caller: &Caller) -> Result<Vec<PersonView>, ServiceError> {
        self.check(caller, Action::People, Target::Instance).await?;
        self.views().await
    }

    /// Takes a person in.
    ///
    /// # Errors
    /// It is not for this caller, or the name is taken or no name.
    pub async fn add_person(&self, caller: &Caller, name: &str, role: Role) -> Result<PersonView, ServiceError> {
        self.permit(caller, Action::People, Target::Thing(name)).await?;
        check_name(name)?;
        let person = Person { name: name.to_owned(), role, created_at: self.now() };
        if !self.engine().store().people().add(&person).await? {
            let fault = Fault::permanent(code::WF5001, format!("there is a person `{name}` already"));
            let fix = format!("`people role {name} {role}` changes the role");
            return Err(ServiceError::Inputs(vec![fault.fix(fix)]));
        }
        self.view_of(name).await
    }

    /// Gives a person another role. It counts from their next word on.
    ///
    /// # Errors
    /// It is not for this caller, or there is no such person.
    pub async fn set_role(&self, caller: &Caller, name: &str, role: Role) -> Result<PersonView, ServiceError> {
        self.permit(caller, Action::People, Target::Thing(name)).await?;
        self.known(name).await?;
        self.engine().store().people().set_role(name, role).await?;
        self.view_of(name).await
    }

    /// Takes a person away. What platforms call them leads to nobody then.
    ///
    /// # Errors
    /// It is not for this caller, or there is no such person.
    pub async fn remove_person(&self, caller: &Caller, name: &str) -> Result<(), ServiceError> {
        self.permit(caller, Action::People, Target::Thing(name)).await?;
        self.known(name).await?;
        Ok(self.engine().store().people().remove(name).await?)
    }

    /// Takes back what one platform calls a person, or all of it, with a code that was not used.
    ///
    /// # Errors
    /// It is not for this caller, or there is no such person or link.
    pub async fn unlink(
        &self,
        caller: &Caller,
        name: &str,
        identity: Option<&str>,
    ) -> Result<PersonView, ServiceError> {
        self.permit(caller, Action::People, Target::Thing(name)).await?;
        self.known(name).await?;
        let people = self.engine().store().people();
        match identity {
            None => people.unlink_all(name).await?,
            Some(identity) => {
                let links = people.links().await?;
                let found = links.iter().find(|link| link.person == name && text_of(&link.account) == identity);
                let absent = || ServiceError::NotFound { noun: "link", name: identity.to_owned(), near: None };
                people.unlink(&found.ok_or_else(absent)?.account).await?;
            }
        }
        self.view_of(name).await
    }

    /// A new code for a person, in place of the one before.
    ///
    /// # Errors
    /// It is not for this caller, or there is no such person.
    pub async fn give_code(&self, caller: &Caller, name: &str) -> Result<Code, ServiceError> {
        self.permit(caller, Action::People, Target::Thing(name)).await?;
        self.known(name).await?;
        let code = self.fresh_code();
        let expires_at = self.now().plus(LIFE);
        self.engine().store().people().give_code(name, &digest(&code), expires_at).await?;
        let say = format!("link {code}");
        Ok(Code { name: name.to_owned(), code, expires_at: expires_at.to_string(), say })
    }

    /// Somebody says a code: from now on they are the person whom it is for. A code that was said is spent, whatever
    /// came of it.
    ///
    /// # Errors
    /// The code does not count, too many wrong ones were said, or they are the owner.
    pub async fn link(&self, caller: &Caller, said: &str) -> Result<PersonView, ServiceError> {
        let subject = caller.subject();
        let account = subject.alias.as_deref().unwrap_or(&subject.identity);
        let Some(account) = account_of(account).filter(|_| subject.standing != Standing::Owner) else {
            return Err(no_code("this instance is yours; a code is for whoever speaks on another platform"));
        };
        // One after the other: of two who say the same code, one is first.
        let _turn = self.access().linking.lock().await;
        let people = self.engine().store().people();
        let (now, who, code) = (self.now(), text_of(&account), digest(said));
        if let Some(person) = people.linked_by(&account, &code).await? {
            return self.view_of(&person).await; // said twice is said once
        }
        let since = Timestamp::from_micros(now.micros().saturating_sub(LIFE.micros()));
        let guesses = people.guesses(&who, since).await?;
        let throttled = guesses.own >= WRONG.0 || guesses.everybody >= WRONG.1;
        let found = people.of_code(&code).await?;
        match found {
            Some((person, expires_at)) if expires_at > now && !throttled => {
                let link = Link { account, person: person.clone(), shown: caller.name.clone(), linked_at: now };
                people.link(&link, &code).await?;
                self.leave_trace(caller, Step::of("link", Some(person.clone())).by(true, "a code")).await?;
                self.view_of(&person).await
            }
            found => {
                if found.is_some() {
                    people.spend(&code).await?;
                }
                if !throttled {
                    people.guessed(&who, now, since).await?;
                }
                let (rule, why) = match throttled {
                    true => ("too many wrong codes", "too many wrong codes were said; try again in 15 minutes"),
                    false => {
                        ("a wrong code", "this code does not count: it is mistyped, used, or older than 15 minutes")
                    }
                };
                self.leave_trace(caller, Step::of("link", None).by(false, rule)).await?;
                Err(no_code(why))
            }
        }
    }

    async fn known(&self, name: &str) -> Result<Person, ServiceError> {
        let people = self.engine().store().people();
        if let Some(person) = people.find(name).await? {
            return Ok(person);
        }
        let all = people.all().await?;
        let near = crate::language::near(name, all.iter().map(|person| person.name.as_str())).map(str::to_owned);
        Err(ServiceError::NotFound { noun: "person", name: name.to_owned(), near })
    }

    async fn views(&self) -> Result<Vec<PersonView>, ServiceError> {
        let people = self.engine().store().people();
        let links = people.links().await?;
        let view = |person: Person| PersonView {
            links: links.iter().filter(|link| link.person == person.name).map(AccountView::from).collect(),
            name: person.name,
            role: person.role,
            created_at: person.created_at.to_string(),
        };
        Ok(people.all().await?.into_iter().map(view).collect())
    }

    async fn view_of(&self, name: &str) -> Result<PersonView, ServiceError> {
        let found = self.views().await?.into_iter().find(|person| person.name == name);
        found.ok_or_else(|| ServiceError::NotFound { noun: "person", name: name.to_owned(), near: None })
    }

    fn fresh_code(&self) -> String {
        let clock = self.engine().clock();
        // Two ids carry 160 bits of chance; their times are mixed in and matter to nobody.
        let chance = Sha256::digest([clock.id_bits().to_be_bytes(), clock.id_bits().to_be_bytes()].concat());
        let signs: Vec<char> =
            chance.iter().take(SIGNS_OF_CODE).map(|byte| char::from(SIGNS[usize::from(byte % 32)])).collect();
        signs.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
    }
}

impl From<&Link> for AccountView {
    fn from(link: &Link) -> Self {
        let (identity, linked_at) = (text_of(&link.account), link.linked_at.to_string());
        Self { identity, shown: link.shown.clone(), linked_at }
    }
}

/// The digest of a code, however it was typed.
fn digest(code: &str) -> Digest {
    let plain = code.chars().filter(char::is_ascii_alphanumeric).map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        'U' => 'V',
        c => c,
    });
    let plain: String = plain.collect();
    Digest::from_bytes(&Sha256::digest(format!("workflow code {plain}")).into())
}

/// Names of people are such that no platform calls anybody so.
fn check_name(name: &str) -> Result<(), ServiceError> {
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if begins && name.len() <= LONGEST_NAME && name.chars().all(inside) {
        return Ok(());
    }
    let message = "a person's name is made of small letters, digits, `.`, `_` and `-`, at most 64, as in `ana`";
    Err(ServiceError::Inputs(vec![Fault::permanent(code::WF5001, message)]))
}

fn no_code(why: &str) -> ServiceError {
    ServiceError::Inputs(vec![Fault::permanent(code::WF5126, why)])
}
