//! `workflow serve`: owns the storage path, carries on what is open, drains on SIGTERM.

use tokio::signal::unix::{SignalKind, signal};

use super::{DONE, Ended, WRONG_USE, disk_failed, print};
use crate::app::{App, web};
use crate::config::Config;

pub async fn serve(config: &Config) -> Ended {
    if !config.enabled {
        print::aside("workflows are switched off: WORKFLOW_ENABLED is false");
        return Ok(WRONG_USE);
    }
    let listener = match web::bind(config).await {
        Ok(listener) => listener,
        Err(fault) => {
            print::aside(format!("error: {fault}\n  {}", fault.remedy()));
            return Ok(WRONG_USE);
        }
    };
    // Before anything is carried: a stop that comes at once is still one in good order.
    let mut terminate = signal(SignalKind::terminate())?;
    let app = App::open_to_serve(config).await?;
    let web = app.listen(config, listener).await?;
    print::aside(format!(
        "workflow {} serves `{}` on {}: {} executions at a time; stop with Ctrl-C or SIGTERM",
        env!("CARGO_PKG_VERSION"),
        config.storage_path.display(),
        web.url(),
        config.max_concurrent
    ));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
        () = app.service.engine().broken() => {
            return Ok(disk_failed());
        }
    }
    print::aside("draining: what is in flight may finish; a second signal ends at once");
    let close = async {
        web.close().await;
        app.close().await;
    };
    tokio::select! {
        () = close => Ok(DONE),
        _ = terminate.recv() => print::end_now(143),
        _ = tokio::signal::ctrl_c() => print::end_now(130),
    }
}
