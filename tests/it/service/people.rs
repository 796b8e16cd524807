//! Who is who, and what they may do, at the front desk.

use serde_json::json;
use sha2::{Digest as _, Sha256};
use workflow::contract::blob::Digest;
use workflow::domain::role::{Place, Role, Standing};
use workflow::domain::time::Timestamp;
use workflow::service::{Caller, NewWorkflow, ServiceError, Terms, TraceFilter, Visitor};

use crate::support::desk::{Desk, list, object, somebody};

/// Somebody whom Slack brings, in `#ops`.
fn visitor(user: &str, name: &str, standing: Standing) -> Visitor {
    Visitor {
        home: None,
        platform: "slack".to_owned(),
        workspace: Some("T01".to_owned()),
        user: user.to_owned(),
        name: Some(name.to_owned()),
        standing,
        address: "slack:C1".to_owned(),
        place: Some(Place { platform: "slack".to_owned(), channel: "C1".to_owned(), names: vec!["ops".to_owned()] }),
        message: Some("17.42".to_owned()),
        text: Some("@bot run it token=hunter2".to_owned()),
    }
}

async fn member(desk: &Desk, user: &str) -> Caller {
    desk.service().recognise(visitor(user, user, Standing::Member)).await.expect("recognised")
}

/// Somebody who was given a name and a role, by a code.
async fn person(desk: &Desk, user: &str, name: &str, role: Role) -> Caller {
    let (service, owner) = (desk.service(), somebody("terminal"));
    service.add_person(&owner, name, role).await.expect("taken in");
    let code = service.give_code(&owner, name).await.expect("a code").code;
    service.link(&member(desk, user).await, &code).await.expect("linked");
    let known = member(desk, user).await;
    assert_eq!((known.identity(), known.role()), (name, role));
    known
}

fn denied<T: std::fmt::Debug>(result: Result<T, ServiceError>) -> String {
    match result {
        Err(ServiceError::Denied(denial)) => denial.to_string(),
        other => panic!("not denied: {other:?}"),
    }
}

fn absent<T: std::fmt::Debug>(result: Result<T, ServiceError>) {
    match result {
        Err(ServiceError::NotFound { near: None, .. }) => {}
        other => panic!("not absent: {other:?}"),
    }
}

#[tokio::test]
async fn a_code_makes_somebody_of_a_stranger_once_and_a_link_can_be_taken_back() {
    let desk = Desk::open().await;
    let (service, owner) = (desk.service(), somebody("terminal"));
    let stranger = service.recognise(visitor("U01", "ana", Standing::Guest)).await.expect("recognised");
    assert_eq!((stranger.identity(), stranger.role()), ("slack:T01/U01", Role::None));
    assert_eq!(stranger.name, "ana (U01)");

    service.add_person(&owner, "ana", Role::Editor).await.expect("taken in");
    let first = service.give_code(&owner, "ana").await.expect("a code").code;
    let second = service.give_code(&owner, "ana").await.expect("another").code;
    assert!(service.link(&stranger, &first).await.is_err(), "a newer code takes the place of the one before");
    let typed = format!(" {} ", second.to_lowercase().replace('-', " "));
    let linked = service.link(&stranger, &typed).await.expect("however it is typed");
    assert_eq!((linked.name.as_str(), linked.links[0].identity.as_str()), ("ana", "slack:T01/U01"));
    service.link(&stranger, &second).await.expect("said twice is said once");
    assert!(service.link(&member(&desk, "U02").await, &second).await.is_err(), "it is good once");

    let known = service.recognise(visitor("U01", "whatever", Standing::Foreign)).await.expect("recognised");
    assert_eq!((known.identity(), known.role(), known.name.as_str()), ("ana", Role::Editor, "ana"));
    service.set_role(&owner, "ana", Role::Viewer).await.expect("changed");
    assert_eq!(member(&desk, "U01").await.role(), Role::Viewer, "from the next word on");

    assert!(service.unlink(&owner, "ana", Some("slack:T01/U99")).await.is_err());
    service.unlink(&owner, "ana", Some("slack:T01/U01")).await.expect("taken back");
    let again = service.recognise(visitor("U01", "ana", Standing::Guest)).await.expect("recognised");
    assert_eq!((again.identity(), again.role()), ("slack:T01/U01", Role::None));
    assert!(service.link(&again, &second).await.is_err(), "what was taken back is not given again by the same code");
}

#[tokio::test]
async fn an_old_code_a_mistyped_one_and_one_that_a_guesser_says_count_for_nothing() {
    let desk = Desk::open().await;
    let (service, owner) = (desk.service(), somebody("terminal"));
    service.add_person(&owner, "ana", Role::Operator).await.expect("taken in");
    let old = Digest::from_bytes(&Sha256::digest("workflow code 0000AAAA1111").into());
    let past = Timestamp::from_micros(service.now().micros() - 1);
    service.engine().store().people().give_code("ana", &old, past).await.expect("kept");
    let (honest, guesser) = (member(&desk, "U01").await, member(&desk, "U66").await);
    let error = service.link(&honest, "0000-AAAA-1111").await.expect_err("too old");
    assert!(error.to_string().contains("older than 15 minutes"), "{error}");

    for guess in 0..5 {
        assert!(service.link(&guesser, &format!("AAAA-AAAA-AAA{guess}")).await.is_err());
    }
    let code = service.give_code(&owner, "ana").await.expect("a code").code;
    let error = service.link(&guesser, &code).await.expect_err("stopped");
    assert!(error.to_string().contains("too many wrong codes"), "{error}");
    assert_eq!(member(&desk, "U66").await.identity(), "slack:T01/U66");
    assert!(service.link(&honest, &code).await.is_err(), "it was said where others may have heard it");
    let fresh = service.give_code(&owner, "ana").await.expect("another").code;
    service.link(&honest, &fresh).await.expect("others are not stopped");
    let stored = service.engine().store().people().of_code(&old).await.expect("readable");
    assert_eq!(stored, None, "a code that was said is gone");
}

#[tokio::test]
async fn of_two_who_say_one_code_at_the_same_time_one_is_linked() {
    let desk = Desk::open().await;
    let (service, owner) = (desk.service(), somebody("terminal"));
    service.add_person(&owner, "ana", Role::Operator).await.expect("taken in");
    let code = service.give_code(&owner, "ana").await.expect("a code").code;
    let (one, two) = (member(&desk, "U01").await, member(&desk, "U02").await);
    let both = tokio::join!(service.link(&one, &code), service.link(&two, &code));
    assert_eq!(usize::from(both.0.is_ok()) + usize::from(both.1.is_ok()), 1, "{both:?}");
    assert_eq!(service.people(&owner).await.expect("listed")[0].links.len(), 1);
}

#[tokio::test]
async fn names_that_a_platform_could_give_are_no_names_of_people() {
    let desk = Desk::open().await;
    let owner = somebody("terminal");
    for name in ["slack:T01/U01", "Ana", "", " ana", "ana b", "-x", "@ana", "a/b", &"x".repeat(65)] {
        assert!(desk.service().add_person(&owner, name, Role::Admin).await.is_err(), "{name}");
    }
    desk.service().add_person(&owner, "ana.b-c_1", Role::Admin).await.expect("a name");
    assert!(desk.service().add_person(&owner, "ana.b-c_1", Role::Viewer).await.is_err(), "taken");
}

#[tokio::test]
async fn every_verb_asks_the_gate_and_reading_shows_what_may_be_seen() {
    let desk = Desk::open().await;
    let service = desk.service();
    desk.template(
        "payroll.yaml",
        "name: Payroll\npermissions: {view: ['@hr'], run: ['@hr']}\nsteps: [{type: wait, config: {for: 1h}}]\n",
    );
    desk.template("slow.yaml", "name: Slow\nsteps: [{type: wait, config: {for: 1h}}]\n");
    let owner = somebody("terminal");
    let secret = desk.start(&owner, "payroll", json!({})).await.expect("started");
    let open = desk.start(&owner, "slow", json!({})).await.expect("started");
    let (viewer, runner) =
        (person(&desk, "U1", "vic", Role::Viewer).await, person(&desk, "U2", "rob", Role::Runner).await);
    let operator = member(&desk, "U3").await;
    let hr = person(&desk, "U4", "hr", Role::None).await;

    for caller in [&viewer, &runner, &operator] {
        let seen = service.seen_by(caller);
        absent(seen.view(secret, true).await);
        absent(seen.log(secret).await);
        absent(seen.inputs(secret).await);
        absent(seen.effects(secret, None).await);
        absent(seen.explain(secret).await);
        absent(seen.events(secret, 0).await);
        assert!(seen.resolve(&secret.to_string()).await.is_err());
        assert!(seen.view(open, false).await.is_ok());
        let listed =
            seen.list(&workflow::service::ListFilter { limit: 10, ..Default::default() }).await.expect("listed");
        assert_eq!(listed.iter().map(|run| run.id).collect::<Vec<_>>(), [open]);
        assert_eq!(seen.open().await.expect("listed"), [open]);
        absent(service.cancel(caller, secret).await);
        absent(service.start(caller, "payroll", &object(json!({})), Terms::default()).await);
        absent(service.start(caller, "payrol", &object(json!({})), Terms::default()).await);
        absent(service.plan(caller, "payroll", &object(json!({}))).await);
        absent(service.workflow(caller, "payroll").await);
        absent(service.rerun(caller, secret, &object(json!({}))).await);
    }
    assert!(service.seen_by(&hr).view(secret, false).await.is_ok(), "whom the workflow names");
    absent(service.cancel(&hr, open).await);

    let none = object(json!({}));
    denied(service.start(&viewer, "slow", &none, Terms::default()).await);
    denied(service.answer(&viewer, open, &none).await);
    for caller in [&viewer, &runner] {
        denied(service.pause(caller, open).await);
        denied(service.resume(caller, open).await);
        denied(service.cancel(caller, open).await);
        denied(service.retry(caller, open, None).await);
        denied(service.skip(caller, open, "0").await);
        denied(service.signal(caller, open, ("go", json!(1))).await);
        denied(service.roll_back(caller, open, None).await);
        denied(service.decide(caller, open, None, (true, None)).await);
        let all = workflow::service::BulkFilter::default();
        denied(service.bulk(caller, workflow::service::BulkAct::Cancel, &all, true).await);
    }
    for caller in [&viewer, &runner, &operator] {
        denied(service.revert(caller, "slow", 1).await);
        denied(
            service
                .create(caller, NewWorkflow { steps: list(json!([{ "type": "noop" }])), ..NewWorkflow::default() })
                .await,
        );
        denied(service.people(caller).await);
        denied(service.add_person(caller, "x", Role::Admin).await);
        denied(service.give_code(caller, "vic").await);
        denied(service.trail(caller, &TraceFilter { limit: 1, ..TraceFilter::default() }).await);
    }
    let own = desk.start(&runner, "slow", json!({})).await.expect("runners start");
    service.cancel(&runner, own).await.expect("and keep hold of their own");
    service.cancel(&operator, open).await.expect("operators steer anybody's");
    let all = workflow::service::BulkFilter::default();
    let counted = service.bulk(&operator, workflow::service::BulkAct::Cancel, &all, true).await.expect("counted");
    assert_eq!(counted.matched, 0, "what may not be seen is not counted");
}

#[tokio::test]
async fn rules_count_at_the_moment_of_the_act() {
    let desk = Desk::open().await;
    let service = desk.service();
    let text = |run: &str| {
        format!("name: Slow\npermissions: {{cancel: ['{run}']}}\nsteps: [{{type: wait, config: {{for: 1h}}}}]\n")
    };
    desk.template("slow.yaml", &text("@leo"));
    let run = desk.start(&somebody("terminal"), "slow", json!({})).await.expect("started");
    let operator = member(&desk, "U1").await;
    let why = denied(service.cancel(&operator, run).await);
    assert!(why.contains("@leo"), "{why}");
    desk.template("slow.yaml", &text("channel:slack:#ops"));
    service.cancel(&operator, run).await.expect("the file says so by now");
}

#[tokio::test]
async fn the_trail_tells_who_where_what_and_by_which_rule_without_secrets() {
    let desk = Desk::open().await;
    let service = desk.service();
    desk.template(
        "it.yaml",
        "name: It\ninputs: {pin: {type: string, sensitive: true}, n: string}\nsteps: [{type: noop}]\n",
    );
    let mut typed = visitor("U1", "Alice", Standing::Member);
    typed.text = Some("run it pin=4711 n=5 password=\"two words\"".to_owned());
    let caller = service.recognise(typed).await.expect("recognised");
    let run = desk.start(&caller, "it", json!({ "pin": "4711", "n": "5" })).await.expect("started");
    denied(service.revert(&caller, "it", 1).await);
    let owner = somebody("terminal");
    let lines = service.trail(&owner, &TraceFilter { limit: 10, ..TraceFilter::default() }).await.expect("listed");
    let [refused, started] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!((started.verb.as_str(), started.about.as_deref(), started.allowed), ("run", Some("it"), true));
    assert_eq!(started.rule, "role operator");
    assert_eq!((started.identity.as_str(), started.name.as_str()), ("slack:T01/U1", "Alice (U1)"));
    assert_eq!((started.channel.as_deref(), started.message.as_deref()), (Some("slack:C1"), Some("17.42")));
    assert_eq!(started.said.as_deref(), Some("run it pin=*** n=5 password=***"));
    assert_eq!((refused.verb.as_str(), refused.allowed), ("edit", false));
    let view = service.archive().view(run, false).await.expect("known");
    assert_eq!((view.origin.name.as_str(), view.origin.identity.as_str()), ("Alice (U1)", "slack:T01/U1"));
    let only = TraceFilter { limit: 10, denied: true, identity: Some("slack:T01/U1".to_owned()), before: None };
    assert_eq!(service.trail(&owner, &only).await.expect("listed").len(), 1);
}

#[tokio::test]
async fn an_approval_is_given_by_identity_and_cannot_be_got_round() {
    let desk = Desk::open().await;
    let service = desk.service();
    desk.template(
        "book.yaml",
        "name: Book\nsteps:\n- {type: approve, id: book, config: {approvers: ['@ana', '@slack:T01/U5'], required: 2}}\n- {type: noop, id: after}\n",
    );
    let ana = person(&desk, "U1", "ana", Role::Viewer).await;
    let run = desk.start(&member(&desk, "U9").await, "book", json!({})).await.expect("started");
    desk.until(run, "waiting").await;
    // Called like one, and not one.
    let spoof = service.recognise(visitor("U66", "ana", Standing::Member)).await.expect("recognised");
    let refused = service.decide(&spoof, run, None, (true, None)).await.expect_err("refused");
    assert!(refused.to_string().contains("slack:T01/U66 is not among those who decide"), "{refused}");
    let refusals = TraceFilter { limit: 1, denied: true, ..TraceFilter::default() };
    let lines = service.trail(&somebody("terminal"), &refusals).await.expect("listed");
    assert_eq!(
        (lines[0].identity.as_str(), lines[0].rule.as_str()),
        ("slack:T01/U66", "approvers: @ana, @slack:T01/U5")
    );
    denied(service.skip(&spoof, run, "book").await);
    let view = service.decide(&ana, run, None, (true, None)).await.expect("named by the step, though a viewer");
    assert_eq!(view.approvals[0].approved_by, ["ana"]);
    assert!(service.decide(&ana, run, None, (true, None)).await.is_err(), "once");
    let fifth = member(&desk, "U5").await;
    service.decide(&fifth, run, None, (true, None)).await.expect("named as the platform calls them");
    desk.until(run, "completed").await;
    let told =
        service.archive().view(run, true).await.expect("known").steps[0].outputs.clone().expect("it gave something");
    assert_eq!(told.values()["approved_by"], json!(["ana", fifth.name]), "for people: a name that shows who it is");
}
