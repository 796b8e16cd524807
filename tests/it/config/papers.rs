//! The papers about settings agree with the settings.

use std::fs;

use workflow::config::{Config, SETTINGS};

use super::{Bench, in_force};

fn read(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).expect("a file of the repository")
}

/// All values in force, without the name of the file.
fn values(config: &Config) -> Vec<(&'static str, String)> {
    let all = config.effective().iter().filter(|effective| effective.key != "config");
    all.map(|effective| (effective.key, effective.value.clone())).collect()
}

#[test]
fn the_file_of_defaults_holds_every_key_in_order_each_with_its_reason() {
    let text = read("config/default.toml");
    let mut explained = false;
    let mut keys = Vec::new();
    for line in text.lines() {
        if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            assert!(explained, "`{key}` has no comment above it");
            keys.push(key.to_owned());
        }
        explained = line.starts_with('#');
    }
    let expected: Vec<_> = SETTINGS.iter().filter(|setting| setting.in_file).map(|setting| setting.key).collect();
    assert_eq!(keys, expected);
}

#[test]
fn the_file_of_defaults_may_be_copied_as_it_is() {
    let copied = Bench::new().file("workflow.toml", &read("config/default.toml")).config();
    assert_eq!(values(&copied), values(&Bench::new().config()));
    assert!(in_force(&copied, "log").1.contains("workflow.toml:"), "the copy was not read");
}

#[test]
fn the_example_environment_holds_every_variable_with_its_default() {
    let text = read("config/example.env");
    let copied = Bench::new().file(".env", &text).config();
    assert_eq!(values(&copied), values(&Bench::new().config()));
    let names: Vec<_> =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect();
    let names: Vec<_> = names.iter().map(|(name, _)| (*name).to_owned()).collect();
    let expected: Vec<_> = SETTINGS.iter().map(workflow::config::Setting::env).collect();
    assert_eq!(names, expected);
}

#[test]
fn the_table_of_settings_names_every_variable_key_and_default() {
    let text = read("docs/configuration.md");
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| `WORKFLOW_")).collect();
    assert_eq!(rows.len(), SETTINGS.len());
    let defaults = Bench::new().config();
    for (row, setting) in rows.iter().zip(SETTINGS) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        assert_eq!(
            (cells[1], cells[2]),
            (format!("`{}`", setting.env()).as_str(), format!("`{}`", setting.key).as_str())
        );
        let default = in_force(&defaults, setting.key).0;
        let told = cells[3].trim_matches('`');
        let told = if told.starts_with(|c: char| c.is_ascii_digit()) { told.trim_end_matches(" s") } else { told };
        let plain = default.strip_suffix('s').filter(|number| number.parse::<f64>().is_ok()).unwrap_or(&default);
        assert!(told == plain || told == "empty", "{}: the table says {told}, the default is {plain}", setting.key);
    }
}
