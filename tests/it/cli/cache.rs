//! `cache`: an earlier result is taken where it is as good, and nowhere else.

use serde_json::{Value, json};

use crate::support::binary::Home;

const WORK: &str = "name: Work
inputs: { n: { type: integer, default: 1 } }
steps:
  - { type: test, id: work, cache: { ttl: 1h }, config: { outputs: { twice: \"${{ inputs.n * 2 }}\" } } }
  - { type: test, id: short, cache: { ttl: 1ms }, config: { outputs: { n: 1 } } }
  - { type: test, id: keyed, cache: { ttl: 1h, key: \"${{ inputs.n % 2 }}\" }, config: { outputs: { n: \"${{ inputs.n }}\" } } }
  - { type: test, id: breaks, cache: { ttl: 1h }, retry: 0, on_error: continue, config: { fail: no luck } }
outputs: { twice: \"${{ steps.work.outputs.twice }}\", n: \"${{ steps.keyed.outputs.n }}\" }
";

fn run(home: &Home, args: &[&str]) -> Value {
    let args: Vec<&str> = ["run", "work.yaml", "--json"].iter().chain(args).copied().collect();
    home.run(&args).json()
}

#[test]
fn an_earlier_result_is_taken_with_the_name_of_its_execution_and_not_where_it_is_not_as_good() {
    let home = Home::new();
    home.write("work.yaml", WORK);
    let first = run(&home, &[]);
    assert!(first["steps"].as_array().expect("steps").iter().all(|step| step["cached_from"].is_null()), "{first}");
    let second = run(&home, &[]);
    let from = |step: usize| second["steps"][step]["cached_from"].clone();
    assert_eq!(from(0), first["execution_id"], "{second}");
    assert_eq!(second["outputs"], json!({ "twice": 2, "n": 1 }));
    assert_eq!(from(1), Value::Null, "it is too old");
    assert_eq!(second["steps"][3]["status"], "failed", "a failure is no result");
    let other = run(&home, &["n=3"]);
    assert_eq!(other["steps"][0]["cached_from"], Value::Null, "another value, another result");
    assert_eq!(other["steps"][2]["cached_from"], first["execution_id"], "its key is the same");
    assert_eq!(other["outputs"], json!({ "twice": 6, "n": 1 }));
    let fresh = run(&home, &["--fresh"]);
    assert!(fresh["steps"].as_array().expect("steps").iter().all(|step| step["cached_from"].is_null()), "{fresh}");
    let log = home.run(&["logs", second["execution_id"].as_str().expect("an id")]).stdout;
    let said = format!("completed: took what it had given in {}", first["execution_id"].as_str().expect("an id"));
    assert!(log.contains(&said), "{log}");
    let id = second["execution_id"].as_str().expect("an id");
    let taken = format!("taken from {}", first["execution_id"].as_str().expect("an id"));
    assert!(home.run(&["status", id]).stdout.contains(&taken));
    let why = home.run(&["explain", id]).stdout;
    assert!(why.contains(&said.replace("completed: ", "Test ")), "{why}");
}

const WHOLE: &str = "name: Whole
cache: 1h
inputs: { n: { type: integer, default: 1 } }
steps:
  - { type: test, id: work, config: { outputs: { twice: \"${{ inputs.n * 2 }}\" } } }
  - { type: test, when: \"${{ inputs.n == 9 }}\", retry: 0, config: { fail: no luck } }
outputs: { twice: \"${{ steps.work.outputs.twice }}\" }
";

#[test]
fn a_whole_execution_is_spared_when_an_earlier_one_did_the_same_and_says_which() {
    let home = Home::new();
    home.write("whole.yaml", WHOLE);
    let run = |args: &[&str]| {
        let args: Vec<&str> = ["run", "whole.yaml", "--json"].iter().chain(args).copied().collect();
        home.run(&args).json()
    };
    let first = run(&[]);
    assert_eq!(first["cached_from"], Value::Null, "{first}");
    let second = run(&[]);
    assert_eq!(second["cached_from"], first["execution_id"], "{second}");
    assert_eq!((&second["status"], &second["outputs"]), (&json!("completed"), &json!({ "twice": 2 })));
    assert!(second["steps"].as_array().expect("steps").iter().all(|step| step["attempts"] == 0), "{second}");
    let third = run(&[]);
    assert_eq!(third["cached_from"], first["execution_id"], "the one that did the work, not the one that was spared");
    assert_eq!(run(&["n=2"])["cached_from"], Value::Null, "other inputs");
    assert_eq!(run(&["--fresh"])["cached_from"], Value::Null, "as asked");
    run(&["n=9"]);
    assert_eq!(run(&["n=9"])["cached_from"], Value::Null, "a failure is no result");
    let id = second["execution_id"].as_str().expect("an id");
    let said = home.run(&["explain", id]).stdout;
    assert!(said.contains(first["execution_id"].as_str().expect("an id")), "{said}");
    let shown = home.run(&["run", "whole.yaml"]);
    assert!(shown.stdout.contains("taken from exec_"), "{}", shown.stdout);
    home.write("whole.yaml", &WHOLE.replace("n * 2", "n * 3"));
    assert_eq!(run(&[])["cached_from"], Value::Null, "another version of the workflow");
    assert_eq!(home.run(&["doctor"]).code, 0);
}

#[test]
fn a_key_of_its_own_says_which_executions_are_the_same() {
    let home = Home::new();
    home.write("keyed.yaml", &WHOLE.replace("cache: 1h", "cache: { ttl: 1h, key: \"${{ inputs.n % 2 }}\" }"));
    let run = |n: &str| home.run(&["run", "keyed.yaml", "--json", n]).json();
    let first = run("n=1");
    let third = run("n=3");
    assert_eq!(third["cached_from"], first["execution_id"], "{third}");
    assert_eq!(third["outputs"], json!({ "twice": 2 }));
    assert_eq!(run("n=2")["cached_from"], Value::Null);
}
