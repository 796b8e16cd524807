//! What conversations bring to triggers, and in whose name runs are started.

use serde_json::{Value, json};
use workflow::domain::role::{Place, Role, Standing};
use workflow::service::triggers::{CommandCame, FileCame, ReactionCame};
use workflow::service::{Caller, FileRecord, ServiceError, TraceFilter, Visitor};

use super::stage::{Stage, caller};

impl Stage {
    /// A person with this role, who speaks in a channel of Slack.
    async fn person(&self, (name, role): (&str, Role), channel: &str) -> Caller {
        self.service.add_person(&caller(), name, role).await.expect("taken in");
        let code = self.service.give_code(&caller(), name).await.expect("made").code;
        let stranger = self.member(name, channel).await;
        self.service.link(&stranger, &code).await.expect("linked");
        self.member(name, channel).await
    }

    /// Somebody who speaks in a channel of Slack.
    async fn member(&self, user: &str, channel: &str) -> Caller {
        let visitor = Visitor {
            platform: "slack".to_owned(),
            workspace: Some("T01".to_owned()),
            user: user.to_owned(),
            standing: Standing::Member,
            address: format!("slack:T01.C0{}", channel.to_uppercase()),
            place: Some(Place {
                platform: "slack".to_owned(),
                channel: format!("T01.C0{}", channel.to_uppercase()),
                names: vec![channel.to_owned()],
            }),
            ..Visitor::default()
        };
        self.service.recognise(visitor).await.expect("recognised")
    }

    async fn file(&self, name: &str, content: &str) -> FileRecord {
        let mut source = content.as_bytes();
        self.service.take_in_stream(name, &mut source).await.expect("taken in")
    }

    /// What comes of a file: trigger, verdict, reason, whether it is new.
    async fn bring(&self, who: &Caller, file: &FileRecord, delivery: &str) -> Vec<(String, String, String, bool)> {
        let came = FileCame {
            who: Some(who.clone()),
            delivery: Some(delivery.to_owned()),
            together: 1,
            ..FileCame::default()
        };
        let came = self.service.file_came(file, &came).await.expect("heard");
        came.into_iter()
            .map(|came| (came.firing.trigger, came.firing.verdict, came.firing.reason, came.is_new))
            .collect()
    }
}

fn verdicts(came: &[(String, String, String, bool)]) -> Vec<(&str, bool)> {
    came.iter().map(|(_, verdict, _, is_new)| (verdict.as_str(), *is_new)).collect()
}

#[tokio::test]
async fn what_did_not_fit_uses_up_no_content_and_the_same_delivery_counts_once() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    stage.save("Intake", "go", "  - { id: drop, type: file, channels: [\"#invoices\"] }\n").await;
    let here = stage.person(("rob", Role::Runner), "invoices").await;
    let elsewhere = stage.member("rob", "random").await;
    let file = stage.file("a.txt", "one").await;
    assert_eq!(verdicts(&stage.bring(&elsewhere, &file, "m1:0").await), [("filtered", true)]);
    assert_eq!(verdicts(&stage.bring(&here, &file, "m2:0").await), [("started", true)]);
    assert_eq!(verdicts(&stage.bring(&here, &file, "m2:0").await), [("started", false)], "the same message again");
    let again = stage.file("b.txt", "one").await;
    assert_eq!(verdicts(&stage.bring(&here, &again, "m3:0").await), [("started", false)], "the same content");
    assert_eq!(verdicts(&stage.bring(&elsewhere, &file, "m1:0").await), [("filtered", false)]);
}

#[tokio::test]
async fn a_name_is_lent_by_whoever_has_it_or_by_an_admin_and_its_rights_are_those_of_the_day() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    let trigger = |id: &str, name: &str| json!({ "id": id, "type": "event", "name": "thing", "run_as": name });
    stage.save("Work", "go", "  - { id: bare, type: manual }\n").await;
    let unknown = stage.service.make_trigger(&caller(), ("work", &trigger("e", "ritta"))).await.expect_err("nobody");
    assert!(unknown.to_string().contains("there is no person `ritta`"), "{unknown}");
    stage.service.add_person(&caller(), "rita", Role::Runner).await.expect("taken in");
    let near = stage.service.make_trigger(&caller(), ("work", &trigger("e", "ritta"))).await.expect_err("nobody");
    assert!(near.to_string().contains("did you mean `rita`?"), "{near}");
    let olga = stage.person(("olga", Role::Operator), "ops").await;
    let foreign = stage.service.make_trigger(&olga, ("work", &trigger("e", "rita"))).await.expect_err("not hers");
    assert!(matches!(foreign, ServiceError::Denied(_)), "{foreign}");
    stage.service.make_trigger(&olga, ("work", &trigger("hers", "olga"))).await.expect("her own");
    stage.service.make_trigger(&caller(), ("work", &trigger("e", "rita"))).await.expect("an admin");

    let event = workflow::service::triggers::Occurrence::event("thing", "1", json!({}));
    let came = stage.service.occur(&event).await.expect("heard");
    let mut names = Vec::new();
    for came in &came {
        let run = came.firing.execution_id.as_ref().expect("a run").parse().expect("an id");
        let origin = stage.service.archive().view(run, false).await.expect("known").origin;
        names.push((came.firing.trigger.clone(), origin.identity, origin.name, origin.door));
    }
    names.sort();
    let row = |trigger: &str, name: &str| (trigger.to_owned(), name.to_owned(), name.to_owned(), "event".to_owned());
    assert_eq!(names, [row("work/e", "rita"), row("work/hers", "olga")]);

    stage.service.set_role(&caller(), "rita", Role::Viewer).await.expect("changed");
    let event = workflow::service::triggers::Occurrence::event("thing", "2", json!({}));
    let came = stage.service.occur(&event).await.expect("heard");
    let refused = came.iter().find(|came| came.firing.trigger == "work/e").expect("looked at");
    assert_eq!(refused.firing.verdict, "refused");
    assert!(refused.firing.reason.contains("needs the role runner"), "{}", refused.firing.reason);

    let lines =
        stage.service.trail(&caller(), &TraceFilter { limit: 100, ..TraceFilter::default() }).await.expect("read");
    let told: Vec<String> = lines.iter().map(workflow::service::TraceView::told).collect();
    for part in [
        "lend work/e as rita  denied by role operator",
        "lend work/hers as olga  allowed by it is their own name",
        "lend work/e as rita  allowed by role admin",
        "rita  run work  allowed by role runner, lent by `run_as` of work/e",
        "rita  run work  denied by role viewer, needs runner, lent by `run_as` of work/e",
    ] {
        assert!(told.iter().any(|line| line.contains(part)), "{part}:\n{}", told.join("\n"));
    }
}

#[tokio::test]
async fn files_that_come_faster_than_they_start_by_themselves_are_asked_about_together() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    stage.save("Intake", "go", "  - { id: drop, type: file, limit: 2 }\n").await;
    let here = stage.person(("rob", Role::Runner), "invoices").await;
    let mut seen = Vec::new();
    for number in 0..5 {
        let file = stage.file(&format!("{number}.txt"), &format!("content {number}")).await;
        seen.push(verdicts(&stage.bring(&here, &file, &format!("m{number}:0")).await)[0].0.to_owned());
    }
    assert_eq!(seen, ["started", "started", "flooded", "flooded", "flooded"]);
    stage.set("2027-01-05T00:02:00Z");
    let late = stage.file("late.txt", "late").await;
    assert_eq!(verdicts(&stage.bring(&here, &late, "m9:0").await), [("started", true)]);
}

#[tokio::test]
async fn words_and_reactions_start_what_waits_for_them_once() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    let text = "  - { id: word, type: command, command: Book Invoice, aliases: [book], channels: [\"#ops\"] }
  - id: eyes
    type: reaction
    emoji: eyes
    inputs: { text: \"${{ trigger.text }}\" }
";
    stage.save("Both", "go", text).await;
    let ops = stage.person(("rob", Role::Runner), "ops").await;
    let random = stage.member("rob", "random").await;
    let heard = stage.service.command_in("book  invoice 7").await.expect("looked");
    assert_eq!(heard, Some(("Book Invoice".to_owned(), "7".to_owned())), "the longest counts");
    assert_eq!(stage.service.command_in("booking 7").await.expect("looked"), None);
    let said = |delivery: &str| CommandCame {
        word: "book".to_owned(),
        text: "7".to_owned(),
        words: vec!["7".to_owned()],
        delivery: delivery.to_owned(),
        ..CommandCame::default()
    };
    assert!(stage.service.command_came(&random, &said("a")).await.expect("heard").is_empty(), "another channel");
    let first = stage.service.command_came(&ops, &said("b")).await.expect("heard").remove(0);
    assert_eq!((first.firing.verdict.as_str(), first.is_new), ("started", true), "{}", first.firing.reason);
    let tap = stage.service.command_came(&ops, &said("c")).await.expect("heard").remove(0);
    assert_eq!((tap.is_new, &tap.firing.execution_id), (false, &first.firing.execution_id), "a finger that slipped");
    stage.set("2027-01-05T00:01:00Z");
    let later = stage.service.command_came(&ops, &said("d")).await.expect("heard").remove(0);
    assert!(later.is_new);

    let reaction = |emoji: &str, message: &str| ReactionCame {
        emoji: emoji.to_owned(),
        message: message.to_owned(),
        text: "it burns".to_owned(),
        delivery: format!("r{emoji}{message}"),
        ..ReactionCame::default()
    };
    assert!(stage.service.waits_for_reaction("👀").await.expect("looked"));
    assert!(!stage.service.waits_for_reaction("tada").await.expect("looked"));
    let first = stage.service.reaction_came(&ops, &reaction("👀", "1")).await.expect("heard").remove(0);
    assert!(first.is_new && first.firing.verdict == "started", "{:?}", first.firing);
    let other = stage.service.reaction_came(&ops, &reaction(":eyes:", "1")).await.expect("heard").remove(0);
    assert_eq!((other.is_new, &other.firing.execution_id), (false, &first.firing.execution_id));
    let run = first.firing.execution_id.expect("a run").parse().expect("an id");
    let inputs = stage.service.archive().inputs(run).await.expect("known");
    assert_eq!(Value::Object(inputs), json!({ "text": "it burns" }));
    assert!(stage.service.reaction_came(&ops, &reaction("eyes", "2")).await.expect("heard")[0].is_new);
}

#[tokio::test]
async fn whoever_may_not_start_a_workflow_sets_nothing_off() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    stage.service.add_person(&caller(), "rob", Role::Runner).await.expect("taken in");
    let text =
        "  - { id: own, type: file }\n  - { id: lent, type: file, run_as: rob }\npermissions: { run: [\"@rob\"] }\n";
    stage.save("Intake", "go", text).await;
    let vic = stage.person(("vic", Role::Viewer), "ops").await;
    let file = stage.file("a.txt", "one").await;
    let mut came = stage.bring(&vic, &file, "m1:0").await;
    came.sort();
    assert_eq!(verdicts(&came), [("started", true), ("refused", true)], "{came:?}");
    assert!(came[1].2.contains("@rob may"), "{came:?}");
    let last = stage.firings("intake/lent").await.remove(0);
    let run = last.execution_id.expect("a run").parse().expect("an id");
    let origin = stage.service.archive().view(run, false).await.expect("known").origin;
    assert_eq!((origin.identity.as_str(), origin.brought_by.as_deref()), ("rob", Some("vic")));
    assert!(origin.undoable);
}
