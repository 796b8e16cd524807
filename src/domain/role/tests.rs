//! The whole table: every role, every action, with and without rules of a workflow.

use super::*;

fn somebody(role: Role) -> Subject {
    let place = Place { platform: "slack".to_owned(), channel: "C1".to_owned(), names: vec!["ops".to_owned()] };
    let (identity, alias) = ("ana".to_owned(), Some("slack:T01/U01".to_owned()));
    Subject { identity, alias, role, standing: Standing::Member, place: Some(place), ceiling: None, home: None }
}

fn stranger(standing: Standing, role: Role) -> Subject {
    Subject { identity: "slack:T02/U09".to_owned(), alias: None, standing, ..somebody(role) }
}

fn list(parties: &[&str]) -> Option<Vec<Party>> {
    Some(parties.iter().map(|party| party.parse().expect("a party")).collect())
}

/// Who may do it to what others started, and to their own: one letter a role, from none to admin.
const TABLE: [(Action, &str, &str); 19] = [
    (Action::Help, "nvroea", "nvroea"),
    (Action::View, "-vroea", "-vroea"),
    (Action::Start, "--roea", "--roea"),
    (Action::Answer, "--roea", "--roea"),
    (Action::Pause, "---oea", "--roea"),
    (Action::Resume, "---oea", "--roea"),
    (Action::Cancel, "---oea", "--roea"),
    (Action::Retry, "---oea", "--roea"),
    (Action::Skip, "---oea", "--roea"),
    (Action::SkipApproval, "----ea", "----ea"),
    (Action::Signal, "---oea", "--roea"),
    (Action::RollBack, "---oea", "--roea"),
    (Action::Bulk, "---oea", "---oea"),
    (Action::Schedule, "---oea", "---oea"),
    (Action::Approve, "---oea", "---oea"),
    (Action::Reject, "---oea", "---oea"),
    (Action::Edit, "----ea", "----ea"),
    (Action::Examine, "-----a", "-----a"),
    (Action::People, "-----a", "-----a"),
];

#[test]
fn the_table_of_roles_and_actions_is_as_written() {
    assert_eq!(TABLE.map(|(action, ..)| action), Action::ALL, "every action has its row");
    for (action, others, own) in TABLE {
        for (is_own, row) in [(false, others), (true, own)] {
            for (role, letter) in Role::ALL.into_iter().zip(row.chars()) {
                let verdict = may(&somebody(role), action, &Resource { is_own, ..Resource::default() });
                assert_eq!(verdict.allows(), letter != '-', "{role} {action:?} own: {is_own}: {verdict:?}");
            }
        }
    }
}

#[test]
fn a_list_of_the_workflow_decides_in_place_of_the_roles_for_every_action_that_it_is_about() {
    let lists: [(&str, &[Action]); 5] = [
        ("run", &[Action::Start, Action::Answer, Action::Schedule]),
        ("approve", &[Action::Approve, Action::Reject]),
        ("edit", &[Action::Edit, Action::SkipApproval]),
        ("view", &[Action::View]),
        ("cancel", &[Action::Pause, Action::Resume, Action::Cancel]),
    ];
    for (name, about) in lists {
        let only = |parties: &[&str]| {
            let mut permissions = Permissions::default();
            match name {
                "run" => permissions.run = list(parties),
                "approve" => permissions.approve = list(parties),
                "edit" => permissions.edit = list(parties),
                "view" => permissions.view = list(parties),
                _ => permissions.cancel = list(parties),
            }
            permissions
        };
        for (parties, role, fits) in [
            (["@ana"], Role::None, true),
            (["@slack:T01/U01"], Role::None, true),
            (["@leo"], Role::Editor, false),
            (["@leo"], Role::Admin, true),
            (["role:operator"], Role::Runner, false),
            (["role:operator"], Role::Editor, true),
            (["channel:#ops"], Role::Viewer, true),
            (["channel:slack:#ops"], Role::Viewer, true),
            (["channel:C1"], Role::Viewer, true),
            (["channel:#ops"], Role::None, false),
            (["channel:#other"], Role::Operator, false),
            (["channel:discord:#ops"], Role::Operator, false),
        ] {
            let permissions = only(&parties);
            let on = Resource { permissions: Some(&permissions), ..Resource::default() };
            for action in Action::ALL {
                let verdict = may(&somebody(role), action, &on);
                let expected = if about.contains(&action) {
                    fits
                } else if action == Action::View {
                    fits || role >= Role::Viewer // whoever may do something with it may see it
                } else {
                    role >= action.needs()
                };
                assert_eq!(verdict.allows(), expected, "{name}: {parties:?}, {role}, {action:?}: {verdict:?}");
            }
        }
    }
}

#[test]
fn an_empty_list_lets_in_admins_alone() {
    let permissions = Permissions { run: Some(Vec::new()), ..Permissions::default() };
    let on = Resource { permissions: Some(&permissions), ..Resource::default() };
    assert!(!may(&somebody(Role::Editor), Action::Start, &on).allows());
    assert!(may(&somebody(Role::Admin), Action::Start, &on).allows());
}

#[test]
fn guests_and_strangers_do_what_a_workflow_says_is_for_them_and_nothing_else() {
    let permissions = Permissions { run: list(&["standing:guest", "role:operator"]), ..Permissions::default() };
    let on = Resource { permissions: Some(&permissions), ..Resource::default() };
    let own = Resource { is_own: true, ..on };
    let guest = stranger(Standing::Guest, Role::None);
    for action in [Action::View, Action::Start, Action::Answer] {
        assert!(may(&guest, action, &on).allows(), "{action:?}");
        assert!(!may(&stranger(Standing::Foreign, Role::None), action, &on).allows(), "{action:?}");
        assert!(!may(&guest, action, &Resource::default()).allows(), "{action:?} of another workflow");
    }
    assert!(may(&guest, Action::Cancel, &own).allows(), "what they started is theirs");
    assert!(!may(&guest, Action::Cancel, &on).allows());
    assert!(!may(&somebody(Role::Runner), Action::Start, &on).allows(), "somebody with a name is no guest");
}

#[test]
fn nobody_does_more_in_a_channel_than_it_allows() {
    let here = |at_most: Role, role: Role| Subject {
        ceiling: Some((at_most, format!("slack:#ops={at_most}"))),
        ..somebody(role)
    };
    for at_most in Role::ALL {
        for action in Action::ALL {
            let verdict = may(&here(at_most, Role::Admin), action, &Resource::default());
            assert_eq!(verdict.allows(), action.needs() <= at_most, "{at_most}: {action:?}: {verdict:?}");
        }
    }
    let own = Resource { is_own: true, ..Resource::default() };
    assert!(may(&here(Role::Runner, Role::Runner), Action::Cancel, &own).allows());
    let permissions = Permissions { approve: list(&["@ana"]), ..Permissions::default() };
    let named = Resource { permissions: Some(&permissions), ..Resource::default() };
    assert!(!may(&here(Role::Viewer, Role::Viewer), Action::Approve, &named).allows(), "a list lifts no ceiling");
}

#[test]
fn what_began_among_other_people_is_for_those_whom_a_rule_lets_in() {
    let member = Subject { home: Some("slack:T02".to_owned()), ..stranger(Standing::Member, Role::Operator) };
    assert!(member.is_stranger_to(Some("slack:T01")));
    assert!(!member.is_stranger_to(Some("slack:T02")) && !member.is_stranger_to(None));
    let person = Subject { alias: Some("slack:T02/U09".to_owned()), ..member.clone() };
    assert!(!person.is_stranger_to(Some("slack:T01")), "whoever was given a name here is known everywhere");
    let theirs = Resource { is_of_others: true, ..Resource::default() };
    for action in [Action::View, Action::Cancel, Action::Approve] {
        assert!(!may(&member, action, &theirs).allows(), "{action:?}");
    }
    let permissions = Permissions { view: list(&["role:viewer"]), ..Permissions::default() };
    let open = Resource { permissions: Some(&permissions), ..theirs };
    assert!(may(&member, Action::View, &open).allows(), "the workflow says so");
    assert!(!may(&member, Action::Cancel, &open).allows());
}

#[test]
fn whoever_the_step_names_decides_where_they_may_see_it() {
    let named = Resource { is_named: true, ..Resource::default() };
    assert!(may(&somebody(Role::Viewer), Action::Approve, &named).allows());
    assert!(!may(&somebody(Role::None), Action::Approve, &named).allows());
    assert!(!may(&somebody(Role::Viewer), Action::Cancel, &named).allows());
}

#[test]
fn parties_read_back_as_they_are_written_and_what_names_nobody_is_refused() {
    for text in ["role:operator", "channel:#invoices", "channel:slack:#ops", "channel:C0123", "@ana", "@slack:T01/U01"]
    {
        assert_eq!(text.parse::<Party>().map(|party| party.to_string()), Ok(text.to_owned()));
    }
    for text in
        ["ana", "role:none", "role:boss", "group:finance", "@", "@a b", "channel:", "channel:#", "standing:owner", ""]
    {
        assert!(text.parse::<Party>().is_err(), "{text}");
    }
}

#[test]
fn a_denial_says_what_is_missing_and_who_could_do_it() {
    let said = |subject: &Subject, action, permissions: &Permissions| match may(
        subject,
        action,
        &Resource { permissions: Some(permissions), ..Resource::default() },
    ) {
        Verdict::Deny(denial) => denial.to_string(),
        Verdict::Allow(rule) => panic!("allowed by {rule}"),
    };
    let none = Permissions::default();
    assert_eq!(
        said(&somebody(Role::Runner), Action::Approve, &none),
        "`approve` needs the role operator; yours is runner; ask somebody with the role operator, or an admin for that role"
    );
    let finance = Permissions { run: list(&["channel:#finance", "@leo"]), ..Permissions::default() };
    assert_eq!(
        said(&somebody(Role::Operator), Action::Start, &finance),
        "`run` is not for you here: it may be said in #finance, @leo may; say it in #finance, or ask @leo"
    );
}

#[test]
fn the_id_of_a_channel_means_it_also_behind_that_of_its_workspace() {
    let place = Place { platform: "slack".to_owned(), channel: "T01.C1".to_owned(), names: Vec::new() };
    let is = |text: &str| text.parse::<Channel>().expect("a channel").is(&place);
    assert!(is("C1") && is("slack:C1") && is("slack:T01.C1"));
    assert!(!is("T01") && !is("discord:C1") && !is("1") && !is("#C1"));
}
