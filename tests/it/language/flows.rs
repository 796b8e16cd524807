//! The language at work: every file of `tests/fixtures/flows/` is run by the real binary, and what comes of it is what
//! the file itself says under `x-expect` (a part of what `run --json` prints, steps by their ids).

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::support::binary::{Home, fixture};

/// Files under way at the same time.
const SIDE_BY_SIDE: usize = 4;

#[test]
fn every_flow_does_what_it_says() {
    let files = files();
    assert!(files.len() >= 12, "{} flows", files.len());
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let chunk = files.len().div_ceil(SIDE_BY_SIDE);
        let threads: Vec<_> = files.chunks(chunk).map(|files| scope.spawn(|| played(files))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("nothing panics in it")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn files() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(fixture("flows")).expect("the folder is in the repository");
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    files
}

fn played(files: &[PathBuf]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_name().expect("a file").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(file).expect("readable");
        let flow: Value = workflow_yaml(&text);
        let home = Home::new();
        let path = home.write(&name, &text);
        std::fs::create_dir_all(home.path().join("workflows/templates")).expect("a folder");
        for (template, text) in flow["x-templates"].as_object().into_iter().flatten() {
            home.write(&format!("workflows/templates/{template}.yaml"), text.as_str().expect("a text"));
        }
        let mut args = vec!["run".to_owned(), path.display().to_string(), "--json".to_owned()];
        for (key, value) in flow["x-inputs"].as_object().into_iter().flatten() {
            args.push(value.as_str().map_or_else(|| format!("{key}={value}"), |text| format!("{key}={text}")));
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ended = home.run(&args);
        let Ok(mut view) = serde_json::from_str::<Value>(&ended.stdout) else {
            wrong.push(format!("{name}: no JSON: {}", ended.stderr));
            continue;
        };
        let steps = view["steps"].as_array().cloned().unwrap_or_default();
        let by_id = steps.into_iter().map(|step| (step["id"].as_str().unwrap_or_default().to_owned(), step));
        view["steps"] = Value::Object(by_id.collect::<Map<_, _>>());
        let mut differences = Vec::new();
        compare("", &flow["x-expect"], &view, &mut differences);
        assert!(flow["x-expect"].is_object() && flow["x-says"].is_string(), "{name} says nothing");
        wrong.extend(differences.into_iter().map(|difference| format!("{name}: {difference}")));
    }
    wrong
}

fn workflow_yaml(text: &str) -> Value {
    serde_yaml::from_str(text).expect("YAML")
}

/// Whatever is expected must be there; maps may hold more.
fn compare(place: &str, expected: &Value, found: &Value, differences: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (key, value) in expected {
                compare(&format!("{place}/{key}"), value, found.get(key).unwrap_or(&Value::Null), differences);
            }
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                compare(&format!("{place}/{index}"), expected, found, differences);
            }
        }
        _ if expected == found => {}
        _ => differences.push(format!("{place}: expected {expected}, found {found}")),
    }
}
