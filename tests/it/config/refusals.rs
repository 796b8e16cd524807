//! What is refused, and in which words.

use super::Bench;

#[test]
fn an_unknown_name_is_refused_with_its_near_name_and_its_place() {
    let bench = Bench::new()
        .set("retry_cuont=1")
        .env("WORKFLOW_MAX_CONCURENT", "1")
        .file(".env", "\nWORKFLOW_STORAGE=./x\n")
        .file("workflow.toml", "log = \"info\"\nStep_Timeout = 3\nbananas = 1\n[apples]\ntoken = \"x\"\n");
    assert_eq!(
        bench.faults(),
        [
            "WF6001 unknown setting `retry_cuont` (command line) -> did you mean `retry_count`?",
            "WF6001 unknown variable `WORKFLOW_MAX_CONCURENT` (environment) -> did you mean `WORKFLOW_MAX_CONCURRENT`?",
            "WF6001 unknown variable `WORKFLOW_STORAGE` (.env:2) -> did you mean `WORKFLOW_STORAGE_PATH`?",
            "WF6001 unknown setting `Step_Timeout` (workflow.toml:2) -> did you mean `step_timeout`?",
            "WF6001 unknown setting `bananas` (workflow.toml:3) -> take the name out, or see the table in docs/configuration.md",
            "WF6001 unknown setting `apples` (workflow.toml:4) -> take the name out, or see the table in docs/configuration.md",
        ]
    );
}

#[test]
fn a_value_that_is_not_allowed_is_told_with_key_source_and_what_is_allowed() {
    for (name, value, sentence) in [
        ("WORKFLOW_ENABLED", "maybe", "`enabled` is `maybe`: it must be `true` or `false`"),
        ("WORKFLOW_MAX_CONCURRENT", "0", "`max_concurrent` is `0`: it must be a whole number from 1 to 10000"),
        ("WORKFLOW_MAX_CONCURRENT", "10001", "`max_concurrent` is `10001`: it must be a whole number from 1 to 10000"),
        ("WORKFLOW_RETRY_COUNT", "-1", "`retry_count` is `-1`: it must be a whole number from 0 to 100"),
        ("WORKFLOW_RETRY_COUNT", "3.0", "`retry_count` is `3.0`: it must be a whole number from 0 to 100"),
        (
            "WORKFLOW_LISTEN",
            "8080",
            "`listen` is `8080`: it must be an address and a port: `127.0.0.1:8080`, `[::1]:8080`, `0.0.0.0:80`",
        ),
        ("WORKFLOW_UPLOAD_LIMIT", "2GB", "`upload_limit` is `2GB`: it must be a size from 1KB to 1GB (512KB, 10MB)"),
        (
            "WORKFLOW_ALLOWED_HOSTS",
            "a/b",
            "`allowed_hosts` holds `a/b`: it must be names as in `flows.example.org`, with a port where needed",
        ),
        ("WORKFLOW_CHANNELS", "ops=#ops", "`channels`: `ops=#ops` is not `NAME=PLATFORM:CHANNEL`"),
        ("WORKFLOW_CHANNELS", "ops=slack:a,ops=slack:b", "`channels` says twice what `ops` is on slack"),
        (
            "WORKFLOW_API_TOKEN",
            "too short",
            "`api_token` must be at least 16 letters, digits and signs, without spaces",
        ),
        (
            "WORKFLOW_CHAT_ROLE",
            "editor",
            "`chat_role` is `editor`: it must be `none`, `viewer`, `runner` or `operator`: more than that takes a code",
        ),
        (
            "WORKFLOW_CHANNEL_ROLES",
            "slack:#ops=viewer,#random",
            "`channel_roles`: `#random` is not written as `slack:#random=viewer`",
        ),
        ("WORKFLOW_DURABILITY", "none", "`durability` is `none`: it must be `full` or `relaxed`"),
        ("WORKFLOW_LOG_FORMAT", "xml", "`log_format` is `xml`: it must be `text` or `json`"),
        ("WORKFLOW_STORAGE_PATH", "~/w", "`storage_path` begins with `~`: it must be the path written out"),
        ("WORKFLOW_FILE_ROOTS", "/a:~/b", "`file_roots` begins with `~`: it must be the path written out"),
    ] {
        let faults = Bench::new().env(name, value).faults();
        let remedy = "give it one of the values that the message names";
        assert_eq!(faults, [format!("WF6002 {sentence} (environment) -> {remedy}")]);
    }
}

#[test]
fn lengths_of_time_have_bounds() {
    for (key, value) in [("step_timeout", "0"), ("step_timeout", "31d"), ("retry_delay", "2d"), ("retry_delay", "soon")]
    {
        let faults = Bench::new().set(&format!("{key}={value}")).faults();
        assert!(faults.len() == 1 && faults[0].starts_with(&format!("WF6002 `{key}` is `{value}`")), "{faults:?}");
    }
}

#[test]
fn a_value_of_the_wrong_shape_is_refused() {
    let bench = Bench::new().file("workflow.toml", "retry_count = [1]\nfile_roots = \"/a\"\nlog = 1979-05-27\n");
    let faults = bench.faults();
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(
        faults[0].contains("`file_roots` must be a list of texts") || faults[1].contains("must be a list of texts")
    );
}

#[test]
fn a_database_that_is_not_supported_yet_is_refused_without_its_password() {
    for url in ["postgres://me:secret@db/w", "postgresql://me:secret@db/w"] {
        let faults = Bench::new().env("WORKFLOW_DATABASE_URL", url).faults();
        assert!(
            faults[0].starts_with("WF6004 `database_url` asks for PostgreSQL, which is not supported yet"),
            "{faults:?}"
        );
        assert!(!faults[0].contains("secret"));
    }
    for url in ["mysql://me:secret@db/w", "sqlite:", "sqlite:w.db?mode=ro", "/var/w.db"] {
        let faults = Bench::new().env("WORKFLOW_DATABASE_URL", url).faults();
        assert!(faults[0].starts_with("WF6002 `database_url` must be `sqlite:PATH`"), "{faults:?}");
        assert!(!faults[0].contains("secret"));
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_with_its_name() {
    let faults = Bench::new().env("WORKFLOW_CONFIG", "gone.toml").faults();
    assert!(faults[0].starts_with("WF6003 the file cannot be read: No such file") && faults[0].contains("(gone.toml)"));
    let faults = Bench::new().file("workflow.toml", "log = \"info\"\nretry_count = = 3\n").faults();
    assert!(
        faults[0].starts_with("WF6003 the file is not TOML") && faults[0].contains("(workflow.toml:2)"),
        "{faults:?}"
    );
    let faults = Bench::new().file(".env", "WORKFLOW_LOG='info\n").faults();
    assert!(faults[0].contains("a line cannot be read: its quote is not closed (.env:1)"), "{faults:?}");
}

#[test]
fn the_name_of_the_file_cannot_stand_in_the_file() {
    let faults = Bench::new().file("workflow.toml", "config = \"other.toml\"").faults();
    assert!(faults[0].starts_with("WF6001 unknown setting `config` (workflow.toml:1)"), "{faults:?}");
}

#[test]
fn a_word_on_the_command_line_without_a_value_is_refused() {
    let faults = Bench::new().set("max_concurrent").faults();
    let expected =
        "WF6005 `max_concurrent` is no setting: it has no `=` (command line) -> write it as `max_concurrent=3`";
    assert_eq!(faults, [expected]);
}

#[test]
fn an_address_that_others_reach_wants_a_token() {
    let bench = || Bench::new().env("WORKFLOW_LISTEN", "0.0.0.0:80");
    let fault = bench().config().listener().expect_err("no token");
    assert_eq!(fault.code.id(), "WF6006");
    assert!(fault.to_string().contains("0.0.0.0:80") && fault.remedy().contains("WORKFLOW_API_TOKEN"), "{fault}");
    let config = bench().env("WORKFLOW_API_TOKEN", "0123456789abcdef").config();
    assert!(config.listener().is_ok());
    let shown = config.effective().iter().find(|row| row.key == "api_token").expect("a row");
    assert_eq!(shown.value, "***");
    assert!(!format!("{config:?}").contains("0123456789abcdef"));
}
