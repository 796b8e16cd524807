//! A hand-made catalog: declarations like those of the real step types, without the step types.

use serde_json::{Value, json};
use workflow::domain::plan::EffectClass;
use workflow::language::catalog::{Catalog, Port, PortType, StepType, Undo};

fn step(name: &'static str, config: Value) -> StepType {
    StepType {
        name,
        summary: "a step of the tests",
        config,
        consumes: Vec::new(),
        produces: Vec::new(),
        outputs: &[],
        effect: EffectClass::Pure,
        cacheable: true,
        undo: Undo::Nothing,
        overridable: &[],
    }
}

fn closed(properties: &Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn documents() -> Vec<StepType> {
    let document = || Port::gives("document", PortType::Document);
    let text = || Port::gives("text", PortType::Text);
    vec![
        StepType {
            consumes: vec![Port::needs("file", PortType::Document).or_inputs(&["file_path", "file"])],
            produces: vec![document()],
            outputs: &["document"],
            effect: EffectClass::Idempotent,
            cacheable: false,
            undo: Undo::Nothing,
            ..step(
                "upload",
                closed(
                    &json!({
                        "max_size": {"type": "integer", "minimum": 1, "maximum": 104_857_600},
                        "allowed_types": {"type": "array", "items": {"type": "string"}, "minItems": 1}
                    }),
                    &[],
                ),
            )
        },
        StepType {
            consumes: vec![Port::needs("document", PortType::Document)],
            produces: vec![text(), Port::gives("pages", PortType::Pages)],
            outputs: &["text", "pages", "quality"],
            ..step(
                "ocr",
                json!({
                    "type": "object",
                    "additionalProperties": false,
                    "properties": {
                        "engine": {"$ref": "#/$defs/Engine"},
                        "languages": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]{3}$"}},
                        "dpi": {"type": ["integer", "null"], "minimum": 70, "maximum": 600}
                    },
                    "$defs": {"Engine": {"oneOf": [
                        {"description": "The tesseract program.", "type": "string", "const": "tesseract"},
                        {"type": "string", "const": "none"}
                    ]}}
                }),
            )
        },
        StepType {
            consumes: vec![Port::needs("text", PortType::Text), Port::takes("pages", PortType::Pages)],
            produces: vec![Port::gives("analysis", PortType::Analysis)],
            outputs: &["analysis", "entities", "language", "sentiment"],
            ..step(
                "analyze",
                closed(
                    &json!({"extract_entities": {"type": "boolean"}, "sentiment_analysis": {"type": "boolean"}}),
                    &[],
                ),
            )
        },
        StepType {
            consumes: vec![
                Port::takes("document", PortType::Document),
                Port::takes("text", PortType::Text),
                Port::takes("analysis", PortType::Analysis),
            ],
            produces: vec![Port::gives("stored", PortType::Receipt)],
            outputs: &["stored"],
            effect: EffectClass::Idempotent,
            ..step(
                "store",
                closed(
                    &json!({"destination": {"enum": ["database"]}, "vector_store": {"type": "boolean"}}),
                    &["destination"],
                ),
            )
        },
    ]
}

fn data() -> Vec<StepType> {
    let takes = || vec![Port::needs("records", PortType::Records)];
    let gives = || vec![Port::gives("records", PortType::Records)];
    let text = json!({"type": "string"});
    vec![
        StepType {
            produces: gives(),
            outputs: &["records"],
            overridable: &["source", "endpoint"],
            ..step(
                "extract",
                closed(&json!({"source": text, "endpoint": text, "method": {"enum": ["GET", "POST"]}}), &["source"]),
            )
        },
        StepType {
            consumes: takes(),
            produces: gives(),
            outputs: &["records", "dropped"],
            ..step("transform", closed(&json!({"operations": {"type": "array", "items": {"type": "string"}}}), &[]))
        },
        StepType {
            consumes: takes(),
            produces: gives(),
            outputs: &["records"],
            ..step(
                "validate",
                closed(&json!({"schema": {"anyOf": [text, {"type": "object"}]}, "strict": {"type": "boolean"}}), &[]),
            )
        },
        StepType {
            consumes: takes(),
            outputs: &["loaded"],
            overridable: &["table"],
            ..step(
                "load",
                closed(
                    &json!({"destination": text, "table": text, "mode": {"enum": ["append", "upsert", "replace"]}}),
                    &[],
                ),
            )
        },
    ]
}

fn messages() -> Vec<StepType> {
    let message = || vec![Port::takes("message", PortType::Message)];
    let text = json!({"type": "string"});
    vec![
        StepType {
            consumes: vec![Port::collects(PortType::Any)],
            produces: vec![Port::gives("message", PortType::Message)],
            outputs: &["message"],
            ..step(
                "prepare",
                closed(&json!({"template": text, "variables": {"anyOf": [text, {"type": "object"}]}}), &[]),
            )
        },
        StepType { consumes: message(), ..step("email", closed(&json!({"to": text, "subject": text}), &["to"])) },
        StepType { consumes: message(), ..step("slack", closed(&json!({"channel": text}), &["channel"])) },
        StepType {
            consumes: message(),
            ..step("webhook", closed(&json!({"url": text, "method": {"enum": ["GET", "POST", "PUT"]}}), &["url"]))
        },
    ]
}

/// All types of the three templates, `noop`, `test`, `fetch`, `assert`, and those that hold steps.
pub fn catalog() -> Catalog {
    let free = json!({"type": "object"});
    let simple = vec![
        step("noop", free.clone()),
        step("test", free),
        step("group", json!({ "type": "object" })),
        StepType { outputs: &["case", "value"], ..step("switch", json!({ "type": "object" })) },
        StepType {
            outputs: &["response", "status"],
            ..step(
                "fetch",
                closed(
                    &json!({
                        "url": {"type": "string"},
                        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                        "timeout": {"type": "number", "exclusiveMinimum": 0, "maximum": 60}
                    }),
                    &["url"],
                ),
            )
        },
        step("assert", closed(&json!({"that": {"type": "boolean"}, "message": {"type": "string"}}), &["that"])),
    ];
    Catalog::new(documents().into_iter().chain(data()).chain(messages()).chain(simple)).expect("each type once")
}
