//! Work that keeps a processor for long: so much at once, so much that waits, and no more. It
//! runs beside the network threads, so that it delays no other caller.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tonic::Status;

use super::request_id::carrying;
use super::status;

/// Who may run, and who may wait for that.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    /// As many as there are processors: more would only take time from each other and from the
    /// network threads.
    turns: Arc<Semaphore>,
    /// Work that is large while it waits, too.
    places: Arc<Semaphore>,
}

impl Turns {
    pub(super) fn new(places: usize) -> Self {
        let processors = available_parallelism().map_or(1, NonZero::get);
        Self {
            turns: Arc::new(Semaphore::new(processors)),
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Runs something small when it is its turn.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Status> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let work = carrying(work);
        let run = move || {
            let done = work();
            // Not before: a caller who hangs up frees no processor.
            drop(turn);
            done
        };
        let done = tokio::task::spawn_blocking(run).await;
        done.map_err(|failed| Status::internal(format!("the work ended early: {failed}")))
    }

    /// Runs something large when it is its turn, if there is a place to wait.
    pub(super) async fn run_large<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Status> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Err(status::overloaded());
        };
        let run = move || {
            let done = work();
            drop(place);
            done
        };
        self.run(run).await
    }
}
