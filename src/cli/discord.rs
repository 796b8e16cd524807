//! `discord invite`: the link by which a server takes the bot in.

use clap::Subcommand;

use super::{DONE, Ended, WRONG_USE, print};
use crate::chat::discord;
use crate::config::Config;

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum Discord {
    /// Print the link by which a server takes the bot in, with the least rights that it needs
    Invite,
}

/// Answers it.
pub async fn discord(config: &Config, asked: &Discord) -> Ended {
    let Discord::Invite = asked;
    let Some(settings) = config.platforms().discord else {
        print::aside(
            "error: there is no `discord_token`\n  set WORKFLOW_DISCORD_TOKEN; docs/discord.md tells where it is found",
        );
        return Ok(WRONG_USE);
    };
    let link = discord::invite(&settings).await.map_err(anyhow::Error::msg)?;
    print::line(link);
    Ok(DONE)
}
