//! The settings of chat platforms.

use super::{Bench, in_force};

#[test]
fn a_platform_is_connected_when_its_token_is_there_and_its_keys_may_stand_in_a_table() {
    let none = Bench::new().config();
    assert!(none.slack.is_none() && none.discord.is_none());
    let file = "[slack]\nbot_token = [\"xoxb-1\", \"xoxb-2\"]\napp_token = \"xapp-1\"\n[discord]\ntoken = \"t\"\n";
    let both = Bench::new().file("workflow.toml", file).config();
    let (slack, discord) = (both.slack.clone().expect("slack"), both.discord.clone().expect("discord"));
    assert_eq!((slack.bot_tokens.len(), slack.app_tokens.len()), (2, 1));
    assert_eq!((slack.api_url.as_str(), discord.api_url.as_str()), ("https://slack.com/api", "https://discord.com"));
    assert_eq!(in_force(&both, "discord_token").0, "***");
    assert!(in_force(&both, "slack_bot_token").1.contains("workflow.toml:2"));
    assert!(!format!("{both:?}").contains("xoxb-1"), "a token is never shown");
}

#[test]
fn each_workspace_may_have_an_app_of_its_own() {
    let bench = Bench::new()
        .env("WORKFLOW_SLACK_BOT_TOKEN", "xoxb-1,xoxb-2")
        .env("WORKFLOW_SLACK_APP_TOKEN", "xapp-1, xapp-2")
        .file("workflow.toml", "[slack]\nsigning_secret = [\"one\", \"two\"]\n");
    let slack = bench.config().slack.expect("slack");
    let counts = (slack.bot_tokens.len(), slack.app_tokens.len(), slack.signing_secrets.len());
    assert_eq!(counts, (2, 2, 2));
}

#[test]
fn the_bases_are_taken_as_they_are_usually_written() {
    let bench = Bench::new()
        .env("WORKFLOW_SLACK_BOT_TOKEN", "xoxb-1")
        .env("WORKFLOW_SLACK_SIGNING_SECRET", "secret")
        .env("WORKFLOW_SLACK_API_URL", "http://127.0.0.1:9101/api/")
        .env("WORKFLOW_DISCORD_TOKEN", "t")
        .env("WORKFLOW_DISCORD_API_URL", "http://localhost:9102/api/v10")
        .env("WORKFLOW_DISCORD_PUBLIC_KEY", &"0a".repeat(32));
    let config = bench.config();
    let (slack, discord) = (config.slack.expect("slack"), config.discord.expect("discord"));
    assert_eq!(slack.api_url, "http://127.0.0.1:9101/api");
    assert_eq!(discord.api_url, "http://localhost:9102");
    assert_eq!(discord.public_key, Some([10; 32]));
}

#[test]
fn what_could_not_work_or_would_send_a_token_in_the_clear_is_refused() {
    for (variables, sentence) in [
        (&[("WORKFLOW_SLACK_BOT_TOKEN", "xoxb-1")][..], "nothing says how Slack comes in"),
        (&[("WORKFLOW_SLACK_BOT_TOKEN", "xapp-1"), ("WORKFLOW_SLACK_APP_TOKEN", "xapp-1")], "must begin with `xoxb-`"),
        (&[("WORKFLOW_SLACK_BOT_TOKEN", "xoxb-1"), ("WORKFLOW_SLACK_APP_TOKEN", "xoxb-1")], "must begin with `xapp-`"),
        (&[("WORKFLOW_SLACK_API_URL", "http://chat.example.org/api")], "http only for this machine"),
        (&[("WORKFLOW_DISCORD_API_URL", "ftp://x")], "it must be an https address"),
        (&[("WORKFLOW_DISCORD_PUBLIC_KEY", "0a0b")], "the 64 digits"),
    ] {
        let bench = variables.iter().fold(Bench::new(), |bench, (name, value)| bench.env(name, value));
        let faults = bench.faults();
        assert!(faults.len() == 1 && faults[0].contains(sentence), "{variables:?}: {faults:?}");
        assert!(!faults[0].contains("xoxb-1") && !faults[0].contains("xapp-1"), "a token is never shown: {faults:?}");
    }
}

#[test]
fn members_operate_unless_the_settings_say_otherwise_and_channels_may_be_for_less() {
    assert_eq!(Bench::new().config().rules.members.word(), "operator");
    let config = Bench::new()
        .env("WORKFLOW_CHAT_ROLE", "None")
        .file("workflow.toml", "channel_roles = [\"slack:#random=viewer\", \"C0123=none\"]\n")
        .config();
    assert_eq!(config.rules.members.word(), "none");
    let rules: Vec<String> = config.rules.channels.iter().map(ToString::to_string).collect();
    assert_eq!(rules, ["slack:#random=viewer", "C0123=none"]);
    assert_eq!(in_force(&config, "channel_roles").0, "slack:#random=viewer,C0123=none");
}
