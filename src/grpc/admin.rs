//! `AdminService`: proposals to the writer.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use crate::service::intake::{Clock, Intake, preview};
use crate::service::running::Running;

use super::proto::v1;
use super::proto::v1::admin_service_server::AdminService;
use super::{status, wire};

/// Previews made at once: each reads a whole list.
const PREVIEWS_MAX: usize = 1;

/// The service over a register's writer.
#[derive(Debug, Clone)]
pub struct Admin {
    running: Arc<Running>,
    intake: Intake,
    clock: Clock,
    previews: Arc<Semaphore>,
}

impl Admin {
    /// Takes proposals for a register.
    #[must_use]
    pub fn new(running: Arc<Running>, intake: Intake, clock: Clock) -> Self {
        Self { running, intake, clock, previews: Arc::new(Semaphore::new(PREVIEWS_MAX)) }
    }
}

fn given(proposal: Option<v1::Proposal>) -> Result<v1::Proposal, Status> {
    proposal.ok_or_else(|| {
        status::invalid_field("proposal", "PROPOSAL_MISSING", "there is no proposal", "缺少提案")
    })
}

#[tonic::async_trait]
impl AdminService for Admin {
    async fn validate_proposal(
        &self,
        request: Request<v1::ValidateProposalRequest>,
    ) -> Result<Response<v1::ValidateProposalResponse>, Status> {
        let submission = wire::register::submission(given(request.into_inner().proposal)?);
        let Ok(permit) = Arc::clone(&self.previews).try_acquire_owned() else {
            return Err(status::busy());
        };
        let (published, now) = (self.running.published(), (self.clock)());
        let look = move || {
            let seen = wire::register::preview(&preview(&published, &submission, now));
            drop(permit);
            seen
        };
        let seen = tokio::task::spawn_blocking(look)
            .await
            .map_err(|failed| Status::internal(format!("the preview ended early: {failed}")))?;
        Ok(Response::new(seen))
    }

    async fn submit_proposal(
        &self,
        request: Request<v1::SubmitProposalRequest>,
    ) -> Result<Response<v1::SubmitProposalResponse>, Status> {
        let submission = wire::register::submission(given(request.into_inner().proposal)?);
        match self.intake.submit(submission).await {
            Ok(standing) => Ok(Response::new(wire::register::standing(&standing))),
            Err(error) => Err(status::not_accepted(&error)),
        }
    }
}
