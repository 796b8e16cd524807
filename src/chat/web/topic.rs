//! `{"subscribe":"chat","channel":"general","after":123}`: the messages of a channel as they come and change.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::broadcast;

use super::WebChat;
use super::wire::MessageFrame;
use crate::http::problem::Problem;
use crate::http::topics::{Frame, Topic};
use crate::service::Caller;

impl Topic for WebChat {
    fn name(&self) -> &'static str {
        "chat"
    }

    fn key_field(&self) -> &'static str {
        "channel"
    }

    fn admit<'a>(&'a self, caller: &'a Caller, key: &'a str) -> BoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            // Somebody else's direct channel is as absent as one that was never there.
            match self.channel(key, &caller.name).await? {
                Some(_) => Ok(()),
                None => Err(Problem::absent("channel", key, None)),
            }
        })
    }

    fn newest<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<u64, Problem>> {
        Box::pin(async move { Ok(self.last_seq(key).await?) })
    }

    fn since<'a>(&'a self, key: &'a str, after: u64, limit: usize) -> BoxFuture<'a, Result<Vec<Frame>, Problem>> {
        Box::pin(async move {
            let messages = WebChat::since(self, key, after, limit).await?;
            let frame = |message: crate::service::conversations::Message| {
                let (seq, only_for) = (message.seq, message.visible_to.clone());
                let frame = Frame::new(seq, &MessageFrame { kind: "message", message: message.into() });
                match only_for {
                    Some(name) => frame.only_for(&name),
                    None => frame,
                }
            };
            Ok(messages.into_iter().map(frame).collect())
        })
    }

    fn news(&self) -> broadcast::Receiver<Arc<str>> {
        self.news.subscribe()
    }
}
