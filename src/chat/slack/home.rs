//! The home tab: what of mine is under way, and what waits for somebody.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Slack;
use super::receive::{Done, inbound, pressed};
use super::render;
use super::workspace::Workspace;
use crate::chat::Chat;
use crate::domain::card::Card;

/// Blocks of the tab at the most.
const BLOCKS: usize = 100;
/// What it shows: a line as it would be said, in this order.
const SHOWN: [&str; 2] = ["status", "inbox"];

impl Slack {
    /// Draws the home tab of a person, after this time.
    pub(super) fn show_home(self: &Arc<Self>, chat: &Chat, workspace: &Arc<Workspace>, user: &str, after: Duration) {
        let (slack, chat, workspace, user) = (Arc::clone(self), chat.clone(), Arc::clone(workspace), user.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            if let Err(why) = slack.draw_home(&chat, &workspace, &user).await {
                tracing::warn!(%why, "a home tab is not drawn");
            }
        });
    }

    async fn draw_home(&self, chat: &Chat, workspace: &Workspace, user: &str) -> Result<(), String> {
        let person = workspace.person(user, false).await;
        let direct = workspace.direct(user).await.map_err(|error| error.to_string())?;
        let from = workspace.address(&direct, None);
        let done = Done { key: "home".to_owned(), from, is_direct: true, user, handle: None, message: None };
        let asks = inbound(workspace, person, done, pressed("", String::new(), Map::new()));
        let mut blocks = Vec::new();
        for line in SHOWN {
            let Some(card) = chat.look(&asks, line).await else { continue };
            blocks.extend(self.part(card, line).await?);
        }
        let how = "Say `help` in our conversation, or `/workflow help` anywhere.";
        blocks.truncate(BLOCKS - 1);
        blocks.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": how }] }));
        let view = json!({ "type": "home", "blocks": blocks });
        let published = workspace.call("views.publish", &json!({ "user_id": user, "view": view })).await;
        published.map(|_| ()).map_err(|error| error.to_string())
    }

    /// One card of the tab. The ids of its blocks and buttons are its own: two cards stand on one tab.
    async fn part(&self, mut card: Card, name: &str) -> Result<Vec<Value>, String> {
        for button in &mut card.buttons {
            button.action = self.shortener.short(&button.action).await.map_err(|error| error.to_string())?;
        }
        let mut blocks = render::draw(&card, &format!("home.{name}")).blocks;
        blocks.push(json!({ "type": "divider" }));
        Ok(blocks)
    }
}
