//! Cards on a platform that is not always there.

use std::sync::Arc;
use std::time::Duration;

use workflow::chat::{Chat, Settings};
use workflow::domain::card::Card;
use workflow::domain::id::RunId;
use workflow::domain::role::Role;
use workflow::service::{Rules, Service};

use super::elsewhere::{Elsewhere, Mood, Taken};
use crate::support::desk::Desk;
use crate::triggers::stage::Stage;

const WORKFLOW: &str = "name: Quick\nsteps:\n  - { type: noop, name: First }\n  - { type: noop, name: Second }\n";

struct Place {
    desk: Desk,
    chat: Chat,
    there: Arc<Elsewhere>,
}

impl Place {
    async fn open() -> Self {
        let desk = Desk::open().await;
        desk.template("quick.yaml", WORKFLOW);
        let there = Elsewhere::new("elsewhere", false);
        let chat = start(desk.service(), &there).await;
        Self { desk, chat, there }
    }

    /// Says `run quick` so many times, each answered.
    async fn run(&self, first: usize, count: usize) {
        for number in first..first + count {
            // Inputs that differ: the same command twice in a moment is a finger that slipped.
            let said = Elsewhere::said(&format!("k{number}"), &format!("run quick n={number}"));
            let receipt = self.chat.receive(said).await.expect("kept");
            receipt.answered.await.expect("answered");
        }
    }

    async fn all_over(&self) {
        while !self.desk.service().archive().open().await.expect("readable").is_empty() {
            tokio::task::yield_now().await;
        }
    }

    async fn close(self) {
        self.chat.close().await;
    }
}

async fn start(service: &Service, there: &Arc<Elsewhere>) -> Chat {
    Chat::start(service.clone(), vec![there.clone()], Settings::default()).await.expect("the chat starts")
}

fn reminders(there: &Elsewhere) -> Vec<String> {
    there.posted().into_iter().map(|taken| taken.card.title).filter(|title| title.contains("still needs")).collect()
}

fn is_final(card: &Card) -> bool {
    card.status.as_deref() == Some("completed")
}

fn run_of(taken: &Taken) -> RunId {
    taken.card.execution_id.as_deref().expect("the card of an execution").parse().expect("an id")
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_only_ends_are_sent_each_once_in_the_order_in_which_they_began() {
    let place = Place::open().await;
    place.there.be(Mood::Away);
    place.run(0, 12).await;
    place.all_over().await;
    assert!(place.there.taken().is_empty(), "nobody is there");
    place.there.be(Mood::Fine);
    let taken = place.there.until(|there| there.taken().len() >= 12).await;
    assert!(taken.iter().all(|taken| taken.what == "post" && is_final(&taken.card)), "{taken:#?}");
    let runs: Vec<RunId> = taken.iter().map(run_of).collect();
    let mut in_order = runs.clone();
    in_order.sort_unstable();
    in_order.dedup();
    // The first one knocks alone; whichever it was, all others follow in order.
    assert_eq!(in_order.len(), 12, "each once");
    assert!(runs[1..].is_sorted(), "the oldest first: {runs:?}");
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_outlives_the_process() {
    let place = Place::open().await;
    place.there.be(Mood::Away);
    place.run(0, 3).await;
    place.all_over().await;
    let Place { desk, chat, there } = place;
    chat.close().await;
    there.be(Mood::Fine);
    let chat = start(desk.service(), &there).await;
    let taken = there.until(|there| there.taken().len() >= 3).await;
    assert!(taken.iter().all(|taken| is_final(&taken.card)), "{taken:#?}");
    chat.settled("elsewhere").await.expect("readable");
    assert_eq!(desk.service().conversations().behind().await.expect("readable").cards, 0);
    chat.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_that_a_platform_asks_for_is_kept() {
    let place = Place::open().await;
    place.there.be(Mood::Busy(Duration::from_secs(1)));
    let asked = tokio::time::Instant::now();
    place.run(0, 2).await;
    let taken =
        place.there.until(|there| there.taken().iter().filter(|taken| is_final(&taken.card)).count() >= 2).await;
    assert!(asked.elapsed() >= Duration::from_secs(1), "it was asked for a second: {taken:#?}");
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_somebody_deleted_is_posted_anew_once() {
    let place = Place::open().await;
    let steps = "name: Asks\ninputs: { n: { type: string, required: true } }\nsteps:\n  - { type: noop }\n";
    place.desk.template("asks.yaml", steps);
    let receipt = place.chat.receive(Elsewhere::said("a", "run asks")).await.expect("kept");
    receipt.answered.await.expect("answered");
    place.there.until(|there| !there.taken().is_empty()).await;
    place.there.be(Mood::Forgetful);
    let receipt = place.chat.receive(Elsewhere::said("b", "answer n=1")).await.expect("kept");
    receipt.answered.await.expect("answered");
    let taken = place.there.until(|there| there.taken().iter().any(|taken| is_final(&taken.card))).await;
    let posts: Vec<_> = taken.iter().filter(|taken| taken.what == "post").collect();
    assert_eq!(posts.len(), 2, "one in the place of the one that is gone: {taken:#?}");
    assert_ne!(posts[0].nonce, posts[1].nonce);
    assert_eq!(posts[0].card.execution_id, posts[1].card.execution_id);
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_waits_where_the_token_is_refused_and_the_next_start_shows_it() {
    let place = Place::open().await;
    place.there.be(Mood::Barred);
    place.run(0, 2).await;
    place.all_over().await;
    place.there.until(|there| there.tries() > 0).await;
    let Place { desk, chat, there } = place;
    chat.close().await;
    assert!(there.taken().is_empty());
    there.be(Mood::Fine);
    let chat = start(desk.service(), &there).await;
    let taken = there.until(|there| there.taken().len() >= 2).await;
    assert!(taken.iter().all(|taken| is_final(&taken.card)), "{taken:#?}");
    chat.close().await;
}

/// Two hours pass as quickly as the work that is done in them.
#[tokio::test]
async fn in_an_outage_of_two_hours_it_goes_on_knocking_and_sends_ends_alone_afterwards() {
    // A card that was not taken is tried again after a quarter of an hour at the latest.
    const STEP: Duration = Duration::from_secs(15 * 60 + 1);
    let place = Place::open().await;
    place.there.be(Mood::Away);
    place.run(0, 6).await;
    place.all_over().await;
    let before = place.there.tries();
    tokio::time::pause();
    for step in 0..8 {
        let (knocks, began) = (place.there.tries(), std::time::Instant::now());
        tokio::time::advance(STEP).await;
        // Whoever knocks reads how the execution stands, on another thread: nothing here rests meanwhile, so no more time passes.
        while place.there.tries() == knocks {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "nobody knocks any more after {step} quarters of an hour"
            );
            tokio::task::yield_now().await;
        }
    }
    let knocks = place.there.tries() - before;
    assert!((8..=120).contains(&knocks), "{knocks} times in two hours");
    place.there.be(Mood::Fine);
    tokio::time::advance(STEP).await;
    tokio::time::resume();
    let taken = place.there.until(|there| there.taken().len() >= 6).await;
    assert!(taken.iter().all(|taken| taken.what == "post" && is_final(&taken.card)), "{taken:#?}");
    let runs: Vec<RunId> = taken.iter().map(run_of).collect();
    assert!(runs[1..].is_sorted(), "the oldest first: {runs:?}");
    place.close().await;
}

#[tokio::test]
async fn an_approval_that_nobody_gives_is_called_to_mind_before_its_time_is_over() {
    const BOOKING: &str =
        "name: Booking\nsteps: [{ type: approve, id: book, config: { title: Book it, expires: 100m } }]\n";
    let stage = Stage::at("2027-01-05T00:00:00Z").await;
    stage.save_text(BOOKING).await;
    let there = Elsewhere::new("elsewhere", false);
    let everybody = Rules { members: Role::Operator, ..Rules::default() };
    let chat = start(&stage.service.clone().with_rules(everybody), &there).await;
    let receipt = chat.receive(Elsewhere::said("k0", "run booking")).await.expect("kept");
    receipt.answered.await.expect("answered");
    there.until(|there| there.taken().iter().any(|taken| taken.card.labelled("Approve").is_some())).await;
    tokio::time::pause();
    let mut told = Vec::new();
    for (time, minutes) in [("2027-01-05T00:49:00Z", 49), ("2027-01-05T00:51:00Z", 2), ("2027-01-05T01:31:00Z", 40)] {
        stage.set(time);
        tokio::time::advance(Duration::from_secs(minutes * 60)).await;
        // What is sent is read on another thread: nothing here rests meanwhile, so no more time passes.
        let began = std::time::Instant::now();
        while began.elapsed() < Duration::from_millis(300) || (minutes != 49 && reminders(&there).len() == told.len()) {
            assert!(began.elapsed() < Duration::from_secs(60), "nobody was told at {time}");
            tokio::task::yield_now().await;
        }
        told = reminders(&there);
    }
    tokio::time::resume();
    let title = "Booking still needs approval: Book it";
    assert_eq!(told, [title, title], "at half and at nine tenths of its time");
    chat.close().await;
}
