//! `permissions`: whom a workflow lets do what, in place of the roles.

use super::super::report::Findings;
use super::fields::Fields;
use super::keys;
use crate::domain::code;
use crate::domain::role::{Party, Permissions};

/// Names on one list at the most.
const MOST: usize = 100;

/// Reads `permissions` of the file.
pub(super) fn read(fields: &Fields, findings: &mut Findings) -> Permissions {
    let Some(node) = fields.get("permissions") else { return Permissions::default() };
    let Some(inner) = Fields::of(node, &keys::PERMISSIONS, "`permissions`".to_owned(), findings) else {
        return Permissions::default();
    };
    let mut list = |key: &str| parties(&inner, key, findings);
    Permissions {
        run: list("run"),
        approve: list("approve"),
        edit: list("edit"),
        view: list("view"),
        cancel: list("cancel"),
    }
}

fn parties(fields: &Fields, key: &str, findings: &mut Findings) -> Option<Vec<Party>> {
    let texts = fields.texts(key, findings)?;
    if texts.len() > MOST {
        let message = format!("`{key}` names {} parties; {MOST} are the most", texts.len());
        findings.error(code::WF1014, texts[MOST].mark, message);
        return None;
    }
    let mut parties = Vec::new();
    for text in texts {
        if text.value.starts_with("group:") {
            let fix = "name people and roles, as in `@ana` and `role:operator`";
            let message = format!("`{}`: groups are not supported yet", text.value);
            findings.error(code::WF1013, text.mark, message).fix(fix);
            continue;
        }
        match text.value.parse() {
            Ok(party) => parties.push(party),
            Err(why) => drop(findings.error(code::WF1015, text.mark, why)),
        }
    }
    Some(parties)
}
