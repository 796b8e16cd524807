//! `slack manifest`, `discord invite`: what the chat platforms need to know of the app.

use clap::Subcommand;

use super::{DONE, Ended, WRONG_USE, print};
use crate::chat;
use crate::config::Config;

/// What can be asked of Slack.
#[derive(Debug, Subcommand)]
pub enum Slack {
    /// Print the manifest from which Slack makes the app, with exactly what it needs
    Manifest {
        /// Slack comes over HTTP to this address of the service, as https://flow.example.org; without it: Socket Mode
        #[arg(long, value_name = "URL")]
        http: Option<String>,
    },
}

/// What can be asked of Discord.
#[derive(Debug, Subcommand)]
pub enum Discord {
    /// Print the link by which a server takes the bot in, with the least rights that it needs
    Invite,
}

/// Prints what Slack needs.
pub fn slack(asked: &Slack) -> Ended {
    let Slack::Manifest { http } = asked;
    print::pretty(&chat::slack::manifest(http.as_deref()))?;
    Ok(DONE)
}

/// Prints what Discord needs.
pub async fn discord(config: &Config, asked: &Discord) -> Ended {
    let Discord::Invite = asked;
    let Some(settings) = config.platforms().discord else {
        print::aside(
            "error: there is no `discord_token`\n  set WORKFLOW_DISCORD_TOKEN; docs/discord.md tells where it is found",
        );
        return Ok(WRONG_USE);
    };
    let link = chat::discord::invite(&settings).await.map_err(anyhow::Error::msg)?;
    print::line(link);
    Ok(DONE)
}
