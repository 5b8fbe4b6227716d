//! Which service answers a path. Those of the list are found by name, without a router: half of
//! what a bare call costs is what stands before it.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body::Body;
use hyper::service::Service;
use tonic::body::Body as AnswerBody;
use tonic::codegen::{BoxFuture, StdError};
use tonic::server::NamedService;
use tonic::service::Routes;
use tower_service::Service as _;

use super::messages::{Budget, Large};
use crate::grpc::admin::Admin;
use crate::grpc::aside::Aside;
use crate::grpc::clearance::Clearance;
use crate::grpc::proto::answers::clearance_service_server::ClearanceServiceServer;
use crate::grpc::proto::v1::admin_service_server::AdminServiceServer;
use crate::grpc::proto::v1::register_service_server::RegisterServiceServer;
use crate::grpc::register::Reading;

/// What is said to those who speak gRPC over HTTP/1.1.
const HTTP_2_NEEDED: &str = "gRPC needs HTTP/2; over HTTP/1.1 ask in JSON or by gRPC-Web\n";

/// The method of the list's services whose message is large.
const BATCH_METHOD: &str = "BatchCheckClearance";

/// Every service of an address.
#[derive(Debug)]
pub(super) struct All {
    /// Single questions: small messages.
    pub(super) clearance: ClearanceServiceServer<Clearance>,
    /// The same service for batches.
    pub(super) batches: ClearanceServiceServer<Clearance>,
    pub(super) register: RegisterServiceServer<Reading>,
    pub(super) admin: Aside<AdminServiceServer<Admin>>,
    /// What answers, or refuses, whatever is none of those: health, reflection.
    pub(super) others: Routes,
    /// Of batches and proposals.
    pub(super) large: Arc<Budget>,
}

/// Every service of an address; a copy is the same services.
#[derive(Debug, Clone)]
pub(super) struct Services(Arc<All>);

impl Services {
    pub(super) fn new(all: All) -> Self {
        Self(Arc::new(All { others: all.others.prepare(), ..all }))
    }
}

/// `/package.Service/Method` → `package.Service`, `Method`.
fn named(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix('/')?.split_once('/')
}

impl<B> Service<Request<B>> for Services
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let all = &self.0;
        if request.version() < Version::HTTP_2 {
            return Box::pin(std::future::ready(Ok(http_2_needed())));
        }
        let large = |request: Request<B>| request.map(|body| Large::new(body, &all.large));
        match named(request.uri().path()) {
            Some((ClearanceServiceServer::<Clearance>::NAME, BATCH_METHOD)) => {
                all.batches.clone().call(large(request))
            }
            Some((ClearanceServiceServer::<Clearance>::NAME, _)) => {
                all.clearance.clone().call(request)
            }
            Some((RegisterServiceServer::<Reading>::NAME, _)) => all.register.clone().call(request),
            Some((AdminServiceServer::<Admin>::NAME, _)) => {
                all.admin.clone().call(large(request).map(AnswerBody::new))
            }
            _ => Box::pin(all.others.clone().call(request)),
        }
    }
}

fn http_2_needed() -> Response<AnswerBody> {
    let mut answer = Response::new(AnswerBody::new(HTTP_2_NEEDED.to_owned()));
    *answer.status_mut() = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}
