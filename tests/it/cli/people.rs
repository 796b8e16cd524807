//! People at the terminal: on a storage path that nobody owns, beside a running service, and at a service elsewhere.

use crate::support::binary::Home;
use crate::support::service::Served;

/// Takes two people in, and asks for whatever can be asked; `more` goes behind every line.
fn told(home: &Home, more: &[&str]) {
    let run = |args: &[&str]| home.run(&args.iter().chain(more).copied().collect::<Vec<_>>());
    let empty = run(&["people"]);
    assert_eq!((empty.code, empty.stdout.as_str()), (0, ""), "{}", empty.stderr);
    let ana = run(&["people", "add", "ana", "--role", "operator"]);
    assert_eq!((ana.code, ana.stdout.split_whitespace().take(2).collect::<Vec<_>>()), (0, vec!["ana", "operator"]));
    assert_eq!(run(&["people", "add", "leo", "viewer"]).code, 0);
    let twice = run(&["people", "add", "ana", "--role", "admin"]);
    assert!(twice.code == 2 && twice.stderr.contains("there is a person `ana` already"), "{}", twice.stderr);
    assert_eq!(run(&["people", "role", "leo", "editor", "--json"]).json()["role"], "editor");
    let wrong = run(&["people", "role", "leo", "boss"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("`boss` is no role"), "{}", wrong.stderr);
    let near = run(&["people", "code", "anna"]);
    assert!(near.code == 2 && near.stderr.contains("`ana`"), "{}", near.stderr);

    let code = run(&["people", "code", "ana"]);
    let plain = code.stdout.trim();
    assert!(plain.len() == 14 && code.stderr.contains(&format!("link {plain}")), "{}{}", code.stdout, code.stderr);
    assert_ne!(run(&["people", "code", "ana"]).stdout, code.stdout, "each is new");

    assert_eq!(run(&["people", "unlink", "ana"]).code, 0);
    assert_eq!(run(&["people", "unlink", "ana", "slack:T01/U01"]).code, 2, "it was never linked");
    assert_eq!(run(&["people", "remove", "leo"]).code, 0);
    let left = run(&["people", "list"]).stdout;
    assert!(left.contains("ana") && left.contains("linked to nothing") && !left.contains("leo"), "{left}");

    let audit = run(&["audit", "--limit", "100"]);
    assert!(audit.stdout.contains("people leo  allowed by role admin  in "), "{}", audit.stdout);
    assert!(!audit.stdout.contains(plain), "{}", audit.stdout);
    assert_eq!(run(&["audit", "--denied"]).stdout, "");
    assert_eq!(run(&["link", "ABCD"]).code, 2);
}

#[test]
fn people_are_told_on_a_storage_path_that_nobody_owns() {
    told(&Home::new(), &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_beside_a_running_service_and_over_http() {
    let served = Served::start();
    told(&served.home, &[]);
    let gone = served.home.run(&["people", "remove", "ana"]);
    assert_eq!(gone.code, 0, "{}", gone.stderr);
    let elsewhere = Served::start();
    told(&Home::new(), &["--server", &elsewhere.url]);
}

#[test]
fn what_is_missing_is_said() {
    let home = Home::new();
    for (line, says) in [
        (vec!["people", "add"], "`people add` wants the name of a person"),
        (vec!["people", "add", "ana"], "`people add` wants a role"),
        (vec!["people", "code"], "`people code` wants the name of a person"),
        (vec!["people", "code", "ana", "more"], "`people code` does not take `more`"),
        (vec!["people", "add", "ana", "viewer", "--role", "admin"], "the role is said twice"),
        (vec!["people", "add", "Ana", "viewer"], "small letters"),
    ] {
        let ended = home.run(&line);
        assert!(ended.code == 2 && ended.stderr.contains(says), "{line:?}: {}", ended.stderr);
    }
}
