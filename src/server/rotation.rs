//! The service's next key, taken while the server runs.

use std::sync::Arc;
use std::time::Duration;

use crate::service::running::Running;

/// How often the key's file is looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Signs receipts with the next key once somebody has rotated it. Does not end.
pub(super) async fn take_keys(running: Arc<Running>) {
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        let running = Arc::clone(&running);
        // A file is looked at, and hardly ever read.
        let taken = tokio::task::spawn_blocking(move || running.take_rotated_keys()).await;
        match taken {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => tracing::info!("receipts are signed with the next key from now on"),
            Ok(Err(error)) => tracing::error!(%error, "receipts are signed with the old key"),
            Err(error) => tracing::error!(%error, "receipts are signed with the old key"),
        }
    }
}
