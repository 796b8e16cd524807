//! A conversation file: `*.chat.yaml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use workflow::domain::role::{Role, Standing};

/// A conversation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// What it shows, in a sentence.
    pub about: String,
    /// Settings, as on a command line.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Workflow files, by their name.
    #[serde(default)]
    pub workflows: BTreeMap<String, String>,
    /// Speakers who are not the owner, by the ids that the platform has for them.
    #[serde(default)]
    pub people: BTreeMap<String, Speaker>,
    /// What is said, pressed and shown.
    pub script: Vec<Step>,
}

/// Somebody whom a platform brings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Speaker {
    /// `member`, `guest` or `foreign`; a guest, if nothing is said.
    pub standing: Standing,
    /// How the platform shows them; anybody may be called anything.
    pub name: Option<String>,
    /// They were linked to a person of this name, ...
    pub person: Option<String>,
    /// ... who has this role.
    pub role: Role,
}

/// One thing that is said, pressed or expected.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// A line.
    pub say: Option<String>,
    /// A button, by its label, on the newest message that has it.
    pub press: Option<String>,
    /// The values of the form on the newest card that has one; `file:NAME` is a file of the fixtures.
    pub fill: Option<BTreeMap<String, String>>,
    /// Who does it; `ana` unless somebody else is named.
    pub by: Option<String>,
    /// A reaction to what was said last, by its short name; where the platform has reactions.
    pub react: Option<String>,
    /// Files of the fixtures that come along.
    pub files: Vec<String>,
    /// In the thread under the newest card, where the platform has threads.
    pub thread: bool,
    /// In the direct conversation, where the platform has others too.
    pub direct: bool,
    /// Nothing is answered.
    pub silent: bool,
    /// It is sent twice by a nervous network.
    pub twice: bool,
    /// A message that is there now or comes, seen by everybody.
    pub shows: Option<String>,
    /// A message that only who spoke last sees.
    pub private: Option<String>,
    /// How many messages are cards of executions.
    pub cards: Option<usize>,
    /// An admin makes a code for this person; `{code}` in what is said later stands for it.
    pub code_for: Option<String>,
    /// The process ends and starts again.
    pub restart: bool,
    /// Only on these platforms.
    pub on: Option<String>,
}

impl Step {
    /// Whether it is played on the platform of this name.
    pub fn is_on(&self, platform: &str) -> bool {
        self.on.as_deref().is_none_or(|on| on.split(',').any(|name| name.trim() == platform))
    }
}

/// Where the fixtures are.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// All conversation files, by name.
pub fn all() -> Vec<(String, Script)> {
    let folder = fixtures().join("chat");
    let mut scripts: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of conversations")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.to_string_lossy().ends_with(".chat.yaml"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("readable");
            let script = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path.file_name().expect("a name").to_string_lossy().replace(".chat.yaml", ""), script)
        })
        .collect();
    scripts.sort_by(|(a, _), (b, _)| a.cmp(b));
    scripts
}
