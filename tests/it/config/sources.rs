//! Where values come from, and which source goes before which.

use std::path::Path;

use workflow::config::LogFormat;
use workflow::domain::time::Span;
use workflow::store::db::Durability;

use super::{Bench, in_force};

#[test]
fn with_nothing_given_the_seeds_defaults_hold() {
    let config = Bench::new().config();
    assert!(config.enabled);
    assert_eq!(config.max_concurrent, 5);
    assert_eq!(config.step_timeout, Span::from_secs(300));
    assert_eq!((config.retry_count, config.retry_delay), (3, Span::from_secs(5)));
    assert_eq!(config.storage_path, Path::new("./workflows"));
    assert_eq!(config.database, Path::new("./workflows/workflow.db"));
    assert_eq!(config.file_roots, [Path::new("./workflows/inbox")]);
    assert_eq!(config.store().files, Path::new("./workflows/files"));
    assert_eq!((config.durability, config.log_format), (Durability::Full, LogFormat::Text));
    assert_eq!(config.log, "info");
    assert!(config.egress_allow.is_empty());
    assert!(config.effective().iter().all(|effective| effective.source.to_string() == "default"));
}

#[test]
fn each_source_covers_the_ones_below_it() {
    let file = Bench::new().file("workflow.toml", "# ours\nmax_concurrent = 1_0\n");
    let with = |bench: &Bench| {
        let (value, source) = in_force(&bench.config(), "max_concurrent");
        let source = source.rsplit('/').next().unwrap_or_default().to_owned();
        format!("{value} from {source}")
    };
    assert_eq!(with(&file), "10 from workflow.toml:2");
    let dot_env = file.file(".env", "WORKFLOW_MAX_CONCURRENT=20 # more\n");
    assert_eq!(with(&dot_env), "20 from .env:1");
    let environment = dot_env.env("WORKFLOW_MAX_CONCURRENT", "30");
    assert_eq!(with(&environment), "30 from environment");
    let command_line = environment.set("max_concurrent=40");
    assert_eq!(with(&command_line), "40 from command line");
    assert_eq!(with(&command_line.set("max_concurrent=41")), "41 from command line");
}

#[test]
fn the_named_file_is_read_instead_of_the_usual_one() {
    let bench = Bench::new().file("workflow.toml", "log = \"warn\"").file("other.toml", "log = \"debug\"");
    assert_eq!(bench.config().log, "warn");
    let bench = bench.env("WORKFLOW_CONFIG", "other.toml");
    assert_eq!(bench.config().log, "debug");
    assert_eq!(in_force(&bench.config(), "config"), ("other.toml".into(), "environment".into()));
    let bench = bench.file("third.toml", "log = \"error\"").set("config=third.toml");
    assert_eq!(bench.config().log, "error");
}

#[test]
fn names_for_channels_are_read_and_told_as_they_were_written() {
    let given = "notifications=slack:#ops,notifications=discord:#ops,hr=web:general";
    let bench = Bench::new().env("WORKFLOW_CHANNELS", given);
    let config = bench.config();
    assert_eq!(config.channels.len(), 3);
    let told = "notifications=slack:#ops,notifications=discord:#ops,hr=web:#general";
    assert_eq!(in_force(&config, "channels"), (told.into(), "environment".into()));
    assert!(!config.require_delivery && bench.set("require_delivery=true").config().require_delivery);
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let bench = Bench::new().file("workflow.toml", "retry_count = 7").env("WORKFLOW_RETRY_COUNT", "");
    assert_eq!(bench.config().retry_count, 7);
}

#[test]
fn lists_are_read_from_every_source() {
    let file = Bench::new().file("workflow.toml", "file_roots = [\"/a:b\", \"c\"]");
    assert_eq!(file.config().file_roots, [Path::new("/a:b"), Path::new("c")]);
    let environment = file
        .env("WORKFLOW_FILE_ROOTS", "/srv/in:/srv/scans")
        .env("WORKFLOW_EGRESS_ALLOW", "10.0.0.0/8:443, [fd00::]/8:443");
    let config = environment.config();
    assert_eq!(config.file_roots, [Path::new("/srv/in"), Path::new("/srv/scans")]);
    assert_eq!(config.egress_allow, ["10.0.0.0/8:443", "[fd00::]/8:443"]);
}

#[test]
fn values_are_read_as_people_write_them() {
    let bench = Bench::new()
        .env("WORKFLOW_ENABLED", "No")
        .env("WORKFLOW_STEP_TIMEOUT", "30m")
        .env("WORKFLOW_RETRY_DELAY", "0")
        .env("WORKFLOW_DURABILITY", "Relaxed")
        .env("WORKFLOW_STORAGE_PATH", "/data")
        .file("workflow.toml", "log_format = \"json\"\nlog = \"warn,workflow::engine=trace\"");
    let config = bench.config();
    assert!(!config.enabled);
    assert_eq!((config.step_timeout, config.retry_delay), (Span::from_secs(1800), Span::ZERO));
    assert_eq!((config.durability, config.log_format), (Durability::Relaxed, LogFormat::Json));
    assert_eq!(config.database, Path::new("/data/workflow.db"));
    assert_eq!(in_force(&config, "step_timeout").0, "1800s");
}

#[test]
fn the_database_may_lie_elsewhere() {
    for (url, path) in [("sqlite:/fast/w.db", "/fast/w.db"), ("sqlite://w.db", "w.db"), ("sqlite:///w.db", "/w.db")] {
        let config = Bench::new().env("WORKFLOW_DATABASE_URL", url).config();
        assert_eq!(config.database, Path::new(path), "{url}");
        assert_eq!(in_force(&config, "database_url").0, format!("sqlite:{path}"));
    }
}

#[test]
fn what_a_cluster_says_of_a_service_named_workflow_is_left_alone() {
    let bench = Bench::new()
        .env("WORKFLOW_SERVICE_HOST", "10.0.0.7")
        .env("WORKFLOW_SERVICE_PORT_HTTP", "80")
        .env("WORKFLOW_PORT", "tcp://10.0.0.7:80")
        .env("WORKFLOW_PORT_80_TCP", "tcp://10.0.0.7:80")
        .env("WORKFLOW_PORT_80_TCP_ADDR", "10.0.0.7")
        .env("PATH", "/bin");
    assert_eq!(bench.config().max_concurrent, 5);
}

#[test]
fn a_room_can_say_that_it_cannot_use_a_value_and_where_it_came_from() {
    let config = Bench::new().env("WORKFLOW_EGRESS_ALLOW", "everything").config();
    let fault = config.refuse("egress_allow", "`everything` is not an allow rule");
    assert_eq!(fault.to_string(), "WF6002 `egress_allow`: `everything` is not an allow rule (environment)");
}
