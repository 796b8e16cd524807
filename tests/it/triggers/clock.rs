//! Schedules: every instant is accounted for, once.

use workflow::domain::time::Span;

use super::stage::{Stage, caller, told};

const NIGHTLY: &str = "  - { id: nightly, type: schedule, cron: \"0 2 * * *\", tz: Europe/Berlin }\n";

#[tokio::test]
async fn a_schedule_starts_a_run_at_its_time_and_says_why() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    stage.save("Etl", "go", NIGHTLY).await;
    stage.go_to("2027-01-05T00:59:59Z").await;
    assert_eq!(stage.news("etl").await, told(&[]));
    stage.go_to("2027-01-05T01:00:00Z").await;
    assert_eq!(stage.news("etl/nightly").await, told(&[("2027-01-05T01:00:00Z", "started")]));
    stage.tick().await;
    assert_eq!(stage.news("etl").await, told(&[]), "an instant is dealt with once");
    let lines = stage.service.archive().explain_trigger("etl", Some("02:00"), stage.service.engine_now()).await;
    let lines = lines.expect("known").join("\n");
    assert!(lines.contains("started exec_") && lines.contains("its time"), "{lines}");
    let run = stage.firings("etl").await[0].execution_id.clone().expect("a run");
    let view = stage.service.archive().view(run.parse().expect("an id"), false).await.expect("known");
    assert_eq!((view.origin.door.as_str(), view.origin.trigger.as_deref()), ("schedule", Some("etl/nightly")));
}

#[tokio::test]
async fn the_days_on_which_clocks_are_changed_have_one_run_each() {
    let stage = Stage::at("2027-03-27T12:00:00Z").await;
    stage.save("Etl", "go", NIGHTLY).await;
    for _ in 0..48 {
        stage.after(Span::from_secs(3_600)).await;
    }
    let spring = told(&[("2027-03-28T01:00:00Z", "started"), ("2027-03-29T00:00:00Z", "started")]);
    assert_eq!(stage.news("etl").await, spring);
    stage.go_to("2027-03-29T13:00:00Z").await;
    stage.set("2027-10-30T12:00:00Z");
    stage.tick().await;
    stage.news("etl").await; // what went by in summer
    for _ in 0..48 {
        stage.after(Span::from_secs(3_600)).await;
    }
    let autumn = told(&[("2027-10-31T00:00:00Z", "started"), ("2027-11-01T01:00:00Z", "started")]);
    assert_eq!(stage.news("etl").await, autumn);
}

#[tokio::test]
async fn what_went_by_is_made_up_for_as_the_schedule_says_and_all_of_it_is_told() {
    for (policy, expected) in [
        ("", vec!["missed", "missed", "skipped_catchup", "started"]),
        (", misfire: skip", vec!["missed", "missed", "skipped_catchup", "skipped_catchup"]),
        (", misfire: { policy: all, window: 36h }", vec!["missed", "started", "started", "started"]),
        (
            ", misfire: { policy: all, window: 10d, max: 1 }",
            vec!["skipped_catchup", "skipped_catchup", "skipped_catchup", "started"],
        ),
    ] {
        let stage = Stage::at("2027-01-05T00:00:00Z").await;
        let text = format!("  - {{ id: s, type: schedule, cron: \"0 */12 * * *\", tz: UTC{policy} }}\n");
        stage.save("Etl", "go", &text).await;
        let stage = stage.restart().await;
        stage.go_to("2027-01-07T05:00:00Z").await;
        let verdicts: Vec<String> = stage.news("etl").await.into_iter().map(|(_, verdict)| verdict).collect();
        assert_eq!(verdicts, expected, "{policy}");
        stage.go_to("2027-01-07T12:00:01Z").await;
        assert_eq!(stage.news("etl").await, told(&[("2027-01-07T12:00:00Z", "started")]), "{policy}");
    }
}

#[tokio::test]
async fn instants_that_are_too_many_are_told_together_and_still_counted() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    stage
        .save(
            "Often",
            "go",
            "  - { id: s, type: schedule, cron: \"* * * * *\", tz: UTC, misfire: { policy: one, max: 20 } }\n",
        )
        .await;
    stage.go_to("2027-01-05T05:00:00Z").await;
    let firings = stage.firings("often").await;
    let counted: u64 = firings.iter().map(|firing| firing.count).sum();
    assert_eq!(counted, 300, "every minute of five hours");
    assert_eq!(
        firings.iter().filter(|firing| firing.verdict == "started").count(),
        2,
        "the newest on time, and one that is made up for at most"
    );
    assert!(firings.len() < 30);
}

#[tokio::test]
async fn a_run_under_way_is_not_overlapped_unless_that_is_wanted() {
    for (overlap, expected) in [
        ("skip", vec!["started", "skipped_overlap", "skipped_overlap"]),
        ("allow", vec!["started", "started", "started"]),
        ("cancel", vec!["started", "started", "started"]),
        ("queue", vec!["started", "skipped_overlap"]),
    ] {
        let stage = Stage::at("2027-01-05T00:00:00Z").await;
        let text = format!("  - {{ id: s, type: schedule, every: 1h, overlap: {overlap} }}\n");
        stage.save("Long", "hold", &text).await;
        for hour in 1..=3 {
            stage.go_to(&format!("2027-01-05T0{hour}:00:00Z")).await;
        }
        let verdicts: Vec<String> = stage.news("long").await.into_iter().map(|(_, verdict)| verdict).collect();
        assert_eq!(verdicts, expected, "{overlap}");
        if overlap == "queue" {
            stage.go.notify_waiters();
            stage.quiet().await;
            stage.after(Span::from_secs(10)).await;
            let news = stage.news("long").await;
            assert_eq!(news, told(&[("2027-01-05T03:00:00Z", "started")]), "the newest waited for the end");
        }
        for _ in 0..100 {
            stage.go.notify_waiters();
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_starts_nothing_twice_and_one_set_ahead_counts_as_downtime() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    stage.save("Etl", "go", "  - { id: s, type: schedule, cron: \"0 * * * *\", tz: UTC }\n").await;
    stage.go_to("2027-01-05T03:00:00Z").await;
    assert_eq!(stage.news("etl").await.len(), 3);
    stage.go_to("2027-01-05T01:30:00Z").await;
    stage.go_to("2027-01-05T02:00:00Z").await;
    stage.go_to("2027-01-05T03:00:00Z").await;
    assert_eq!(stage.news("etl").await, told(&[]), "these hours have had their runs");
    stage.go_to("2027-01-06T03:00:00Z").await;
    let started = stage.news("etl").await.into_iter().filter(|(_, verdict)| verdict == "started").count();
    assert_eq!(started, 1, "a day ahead is a day of downtime: the newest alone");
}

#[tokio::test]
async fn a_schedule_that_is_edited_or_off_or_paused_does_not_fire_as_it_was() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    stage.save("Etl", "go", "  - { id: s, type: schedule, cron: \"0 * * * *\", tz: UTC }\n").await;
    let service = &stage.service;
    service.switch_trigger(&caller(), "etl/s", (false, None)).await.expect("off");
    stage.go_to("2027-01-05T02:00:00Z").await;
    assert_eq!(stage.news("etl").await, told(&[]));
    service.switch_trigger(&caller(), "etl/s", (true, None)).await.expect("on");
    stage.go_to("2027-01-05T02:30:00Z").await;
    assert_eq!(stage.news("etl").await, told(&[]), "what went by while it was off is not made up for");
    let paused = service.switch_trigger(&caller(), "etl/s", (true, Some("2027-01-05 05:30"))).await.expect("paused");
    assert_eq!((paused.state.as_str(), paused.next[0].as_str()), ("paused", "2027-01-05T06:00:00.000Z"));
    stage.go_to("2027-01-05T06:00:00Z").await;
    assert_eq!(stage.news("etl").await, told(&[("2027-01-05T06:00:00Z", "started")]));
    let id = stage.service.archive().triggers(None, stage.service.engine_now()).await.expect("listed")[0]
        .workflow_id
        .clone();
    service.delete(&caller(), id.parse().expect("an id")).await.expect("deleted");
    stage.go_to("2027-01-05T09:00:00Z").await;
    assert!(stage.service.archive().triggers(None, stage.service.engine_now()).await.expect("listed").is_empty());
    let runs = stage.service.archive().list(&workflow::service::ListFilter { limit: 10, ..Default::default() }).await;
    assert_eq!(runs.expect("listed").len(), 1, "a workflow that is gone starts nothing");
}

#[tokio::test]
async fn a_backfill_says_what_it_would_do_and_starts_no_instant_twice() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    stage.save("Etl", "go", "  - { id: s, type: schedule, cron: \"0 6 * * *\", tz: UTC }\n").await;
    stage.go_to("2027-01-05T06:00:00Z").await;
    stage.set("2027-01-08T12:00:00Z");
    stage.tick().await;
    let stretch = ("2027-01-03", "2027-01-08");
    let asked = stage.service.backfill(&caller(), "etl", stretch, true).await.expect("asked");
    assert_eq!((asked.instants.len(), asked.came.len()), (5, 0));
    let done = stage.service.backfill(&caller(), "etl", stretch, false).await.expect("done");
    let started = |verdicts: &[workflow::service::triggers::FiringView]| {
        verdicts.iter().filter(|firing| firing.reason.contains("made up for by")).count()
    };
    assert_eq!((done.came.len(), started(&done.came)), (5, 4), "the 5th has had its run");
    stage.service.backfill(&caller(), "etl", stretch, false).await.expect("done again");
    let runs = stage.service.archive().list(&workflow::service::ListFilter { limit: 50, ..Default::default() }).await;
    assert_eq!(runs.expect("listed").len(), 1 + 1 + 4, "its time, the newest made up for, and four by hand");
}

#[tokio::test]
async fn an_instant_without_a_run_is_an_event_for_whoever_waits_for_it() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    stage.save("Etl", "hold", "  - { id: s, type: schedule, every: 1h, alert_after: 10m }\n").await;
    stage
        .save(
            "Alarm",
            "go",
            "  - { id: a, type: event, name: schedule.missed, when: \"trigger.data.workflow == 'etl'\" }\n",
        )
        .await;
    stage.go_to("2027-01-05T01:00:00Z").await;
    stage.go_to("2027-01-05T02:00:00Z").await;
    let alarms = stage.firings("alarm").await;
    assert_eq!(alarms.len(), 1);
    assert_eq!(
        (alarms[0].verdict.as_str(), alarms[0].facts["data"]["verdict"].as_str()),
        ("started", Some("skipped_overlap"))
    );
    stage.go.notify_waiters();
}

#[tokio::test]
async fn a_schedule_by_hand_stands_beside_those_of_the_file() {
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    stage.save("Etl", "go", NIGHTLY).await;
    let new = |schedule: &str| workflow::service::triggers::NewTrigger {
        workflow: "etl".to_owned(),
        schedule: schedule.to_owned(),
        name: Some("mornings".to_owned()),
        tz: None,
        inputs: None,
    };
    let refused = stage.service.add_trigger(&caller(), &new("weekdys 9am")).await.expect_err("misspelt");
    assert!(refused.to_string().contains("did you mean `weekdays`?"), "{refused}");
    let view = stage.service.add_trigger(&caller(), &new("weekdays 9am Europe/Berlin")).await.expect("made");
    assert_eq!((view.id.as_str(), view.told.as_str()), ("etl/mornings", "`0 9 * * 1-5` Europe/Berlin"));
    assert_eq!(view.next_local[0], "Tue 2027-01-05 09:00 +01:00");
    assert!(stage.service.remove_trigger(&caller(), "etl/nightly").await.is_err(), "that one is the file's");
    stage.service.remove_trigger(&caller(), "etl/mornings").await.expect("gone");
}
