//! The specification's own templates and requests.

use serde_json::json;
use sha2::{Digest, Sha256};
use workflow::domain::plan::{Plan, PortBinding, PortSource};
use workflow::language::{Compiled, Options, Source, compile};

use super::stock;

const TEMPLATES: [(&str, &str, &str); 3] = [
    (
        "document_processing.yaml",
        include_str!("../../../templates/document_processing.yaml"),
        "a07610c5063810890bc804d56f9e979f7189f80b4a8873455f6cb93840ab9fdc",
    ),
    (
        "data_pipeline.yaml",
        include_str!("../../../templates/data_pipeline.yaml"),
        "c3698d33abf7f01a09f96f4f5682ace12d112bfeb67700a23f5c1d91cc8fdb70",
    ),
    (
        "notification_flow.yaml",
        include_str!("../../../templates/notification_flow.yaml"),
        "fa18a538fd97a8d777965f38bc5ddf0a87d0bcf58c84418a68cbf4a6b83d09de",
    ),
];

fn plan(name: &str, text: &str) -> Plan {
    let Compiled { plan, report } = compile(&Source::new(name, text), &stock::catalog(), &Options::default());
    plan.unwrap_or_else(|| panic!("{}", report.text(false)))
}

#[test]
fn the_templates_are_those_of_the_specification_byte_for_byte() {
    for (name, text, sha256) in TEMPLATES {
        let digest: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, sha256, "{name}");
    }
}

#[test]
fn the_templates_compile_without_a_single_remark() {
    for (name, text, _) in TEMPLATES {
        let Compiled { plan, report } = compile(&Source::new(name, text), &stock::catalog(), &Options::default());
        assert!(report.problems.is_empty(), "{}", report.text(false));
        let plan = plan.expect("no errors, so a plan");
        assert_eq!(plan.slug, name.trim_end_matches(".yaml"));
        assert_eq!(plan.steps.iter().map(|step| step.stage).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(
            plan.steps.iter().map(|step| step.needs.clone()).collect::<Vec<_>>(),
            [vec![], vec![0], vec![1], vec![2]]
        );
        assert!(plan.steps.iter().all(|step| step.retry.max_attempts() == 4 && step.timeout.as_secs_f64() == 300.0));
    }
}

#[test]
fn data_flows_through_the_document_template_although_nothing_says_so() {
    let plan = plan(TEMPLATES[0].0, TEMPLATES[0].1);
    let from = |port: &str, step: usize, output: &str| PortBinding {
        port: port.to_owned(),
        source: PortSource::Step { step, output: output.to_owned() },
    };
    let input = PortBinding { port: "file".to_owned(), source: PortSource::Input("file_path".to_owned()) };
    assert_eq!(plan.steps[0].ports, [input]);
    assert_eq!(plan.steps[1].ports, [from("document", 0, "document")]);
    assert_eq!(plan.steps[2].ports, [from("text", 1, "text"), from("pages", 1, "pages")]);
    assert_eq!(
        plan.steps[3].ports,
        [from("document", 0, "document"), from("text", 1, "text"), from("analysis", 2, "analysis")]
    );
}

#[test]
fn a_request_with_steps_in_json_compiles_like_a_file() {
    let request = json!({"name": "Test Workflow", "description": "", "steps": [{"type": "test", "name": "Test Step"}]});
    let plan = plan("request", &request.to_string());
    assert_eq!((plan.slug.as_str(), plan.steps[0].id.as_str()), ("test_workflow", "test_step"));
}

#[test]
fn json_is_read_as_json_readers_read_it() {
    let long = "k".repeat(1_500);
    let text = format!(
        "{{\n\t\"name\": \"A\\/B \\ud83d\\ude00 \\u00e4\",\r\n\t\"steps\": [\n\t\t{{\"type\": \"test\", \"config\": {{\"{long}\": 1, \"e\": -1.5E+2, \"n\":null,\"t\":[],\"o\":{{}}}}}}\n\t]\n}}"
    );
    let expected: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let plan = plan("request.json", &text);
    assert_eq!(serde_json::json!(plan.name), expected["name"]);
    assert_eq!(plan.steps[0].config, expected["steps"][0]["config"]);
}

#[test]
fn the_parallel_example_is_saved_with_a_warning_for_each_unknown_type() {
    let text = r#"{"name": "Parallel", "steps": [
        {"type": "fetch_api1", "parallel_group": 1},
        {"type": "fetch_api2", "parallel_group": 1},
        {"type": "merge", "parallel_group": 2}
    ]}"#;
    let source = Source::new("request", text);
    let Compiled { plan, report } = compile(&source, &stock::catalog(), &Options::default());
    let codes: Vec<_> =
        report.problems.iter().map(|problem| (problem.code.id(), problem.suggestion.as_deref())).collect();
    assert_eq!(codes, [("WF1022", Some("fetch")), ("WF1022", Some("fetch")), ("WF1022", None)]);
    let plan = plan.expect("unknown types are no errors");
    assert_eq!(
        plan.steps.iter().map(|step| (step.name.as_str(), step.stage)).collect::<Vec<_>>(),
        [("Fetch Api1", 0), ("Fetch Api2", 0), ("Merge", 1)]
    );
    assert_eq!(plan.steps[2].needs, [0, 1]);

    let strict = Options { strict: true, ..Options::default() };
    assert!(compile(&source, &stock::catalog(), &strict).plan.is_none());
}
