//! Folders below `inbox/` that triggers watch. A file counts once it has stood still for two looks: whoever writes it may be
//! in the middle. It stays where it is; its path, size and time are what makes it the same the next time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::service::Service;
use crate::service::triggers::FileCame;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(2);
/// Files of one folder that are looked at.
const MOST: usize = 10_000;

/// A file as it stood at a look: size and time.
type Shape = (u64, u128);

/// Watches until it is stopped.
pub async fn watch(service: Service, inbox: PathBuf, stop: CancellationToken) {
    let mut seen: HashMap<PathBuf, Shape> = HashMap::new();
    let mut taken: HashMap<PathBuf, Shape> = HashMap::new();
    loop {
        // What cannot be read now is looked at again soon.
        for folder in service.watched_folders().await.unwrap_or_default() {
            let now = listed(&inbox.join(&folder)).await;
            for (path, shape) in &now {
                let stands_still = seen.get(path) == Some(shape);
                if stands_still && taken.get(path) != Some(shape) && take(&service, &folder, path, *shape).await {
                    taken.insert(path.clone(), *shape);
                }
            }
            seen.extend(now);
        }
        seen.retain(|path, _| path.try_exists().unwrap_or(true));
        taken.retain(|path, _| path.try_exists().unwrap_or(true));
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// The plain files of a folder; none where it is not there yet.
async fn listed(folder: &Path) -> HashMap<PathBuf, Shape> {
    let mut files = HashMap::new();
    let Ok(mut entries) = tokio::fs::read_dir(folder).await else { return files };
    while let Ok(Some(entry)) = entries.next_entry().await {
        // No symbolic links: a link may lead anywhere, also out of the folder.
        let Ok(known) = entry.metadata().await else { continue };
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if known.is_file() && !is_hidden && known.len() > 0 && files.len() < MOST {
            let changed = known.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
            files.insert(entry.path(), (known.len(), changed.map_or(0, |at| at.as_micros())));
        }
    }
    files
}

/// Takes a file in; whether it need not be tried again.
async fn take(service: &Service, folder: &str, path: &Path, (size, at): Shape) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let key = format!("folder:{folder}:{name}:{size}:{at}");
    let file = match service.take_in(path).await {
        Ok(file) => file,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "a file of a watched folder cannot be taken in");
            return true; // it is tried again when it changes
        }
    };
    let came =
        FileCame { folder: Some(folder.to_owned()), by: "folder".to_owned(), key: Some(key), ..FileCame::default() };
    match service.file_came(&file, &came).await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "a file of a watched folder started nothing; it is tried again");
            false
        }
    }
}
