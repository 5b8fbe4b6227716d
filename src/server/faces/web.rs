//! gRPC-Web, by tonic's own layer. It is made for each request that needs it, so that the others
//! do not pass it.

use std::convert::Infallible;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::Body;
use hyper::service::Service;
use tonic::Status;
use tonic::body::Body as AnswerBody;
use tonic_web::GrpcWebLayer;
use tower_layer::Layer;

use super::Said;
use crate::server::unread::Whole;

/// hyper's kind of service as tower's kind.
struct Tower<S>(S);

impl<S> tower_service::Service<Request<AnswerBody>> for Tower<S>
where
    S: Service<Request<AnswerBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<AnswerBody>) -> S::Future {
        // What the services know of.
        *request.version_mut() = Version::HTTP_2;
        self.0.call(request)
    }
}

/// Asks what answers gRPC.
pub(super) async fn ask<S, B>(
    inner: S,
    request: Request<Whole>,
) -> Result<Response<Said<B>>, Infallible>
where
    S: Service<Request<AnswerBody>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes, Error = Status> + Send + 'static,
{
    let version = request.version();
    let mut web = GrpcWebLayer::new().layer(Tower(inner));
    let mut answer = tower_service::Service::call(&mut web, request).await?;
    *answer.version_mut() = version;
    Ok(answer.map(|body| Said::Web { body }))
}
