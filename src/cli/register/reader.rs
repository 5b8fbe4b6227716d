//! A register to read: a server's, or a directory with the server's own code behind it.

use std::path::Path;
use std::sync::Arc;

use tokio_stream::StreamExt;
use tonic::{Request, Response, Status};

use crate::cli::link::{Link, ServerArgs};
use crate::cli::serve::refuse;
use crate::cli::source::RESPONSE_BYTES_MAX;
use crate::cli::{Lang, Outcome};
use crate::domain::message::excerpt;
use crate::formats::list_csv::{FILES, ListFiles};
use crate::formats::table::FILE_BYTES_MAX;
use crate::grpc::proto::v1;
use crate::grpc::proto::v1::register_service_client::RegisterServiceClient;
use crate::grpc::proto::v1::register_service_server::RegisterService;
use crate::grpc::register::Reading;
use crate::server::now;
use crate::service::opening;
use crate::service::running::Running;
use crate::service::service_keys::{self, ServiceKeys};

use super::PlaceArgs;

/// A register to read.
pub(in crate::cli) enum Reader {
    /// Over the network.
    Server(RegisterServiceClient<Link>),
    /// A directory, with the server's own code behind it.
    Directory(Reading),
}

impl Reader {
    /// Connects, or reads the directory.
    pub(in crate::cli) async fn open(lang: Lang, place: &PlaceArgs) -> Result<Self, Outcome> {
        if let Some(directory) = &place.register {
            return Self::directory(lang, directory);
        }
        Self::server(lang, &place.server).await
    }

    /// Connects.
    pub(in crate::cli) async fn server(lang: Lang, server: &ServerArgs) -> Result<Self, Outcome> {
        let instead = lang.pick(
            "name another with --server, or read a directory with --register DIR",
            "请用 --server 指定其他地址，或用 --register DIR 读取登记簿目录",
        );
        let client = RegisterServiceClient::new(server.connect(lang, instead).await?);
        Ok(Self::Server(client.max_decoding_message_size(RESPONSE_BYTES_MAX)))
    }

    /// Reads a directory.
    pub(in crate::cli) fn directory(lang: Lang, directory: &Path) -> Result<Self, Outcome> {
        let read = opening::read(directory, |_, _| ());
        let running = read.and_then(|(store, replayed)| Ok(Running::open(store, replayed, now())?));
        match running {
            Ok(running) => {
                // They are for the service's user alone; for others the rest is still there.
                let folder = directory.join(service_keys::FOLDER);
                if let Ok(Some(keys)) = ServiceKeys::read(&folder) {
                    running.sign_with(keys, folder);
                }
                Ok(Self::Directory(Reading::new(Arc::new(running), now)))
            }
            Err(error) => Err(refuse(lang, directory, &error)),
        }
    }

    /// The register as it stands.
    pub(in crate::cli) async fn get(&mut self) -> Result<v1::GetRegisterResponse, Status> {
        let request = v1::GetRegisterRequest {};
        match self {
            Self::Server(client) => client.get_register(request).await,
            Self::Directory(reading) => reading.get_register(Request::new(request)).await,
        }
        .map(Response::into_inner)
    }

    /// One statement.
    pub(in crate::cli) async fn revision(
        &mut self,
        number: u64,
    ) -> Result<v1::GetRevisionResponse, Status> {
        let request = v1::GetRevisionRequest { number };
        match self {
            Self::Server(client) => client.get_revision(request).await,
            Self::Directory(reading) => reading.get_revision(Request::new(request)).await,
        }
        .map(Response::into_inner)
    }

    /// A page of statements.
    pub(in crate::cli) async fn revisions(
        &mut self,
        page_size: u32,
        page_token: String,
    ) -> Result<v1::ListRevisionsResponse, Status> {
        let request = v1::ListRevisionsRequest { page_size, page_token };
        match self {
            Self::Server(client) => client.list_revisions(request).await,
            Self::Directory(reading) => reading.list_revisions(Request::new(request)).await,
        }
        .map(Response::into_inner)
    }

    /// The list files of a revision; 0 = the newest.
    pub(in crate::cli) async fn export(&mut self, number: u64) -> Result<ListFiles, Status> {
        let request = v1::ExportRevisionRequest { number };
        let mut files = ListFiles::default();
        match self {
            Self::Server(client) => {
                let mut stream = client.export_revision(request).await?.into_inner();
                while let Some(piece) = stream.message().await? {
                    add(&mut files, &piece)?;
                }
            }
            Self::Directory(reading) => {
                let mut stream = reading.export_revision(Request::new(request)).await?.into_inner();
                while let Some(piece) = stream.next().await {
                    add(&mut files, &piece?)?;
                }
            }
        }
        Ok(files)
    }
}

fn add(files: &mut ListFiles, piece: &v1::ExportRevisionResponse) -> Result<(), Status> {
    let [schemes, enterprises, entries] = FILES;
    let file = match piece.file.as_str() {
        file if file == schemes => &mut files.schemes,
        file if file == enterprises => &mut files.enterprises,
        file if file == entries => &mut files.entries,
        other => {
            let other = excerpt(other);
            return Err(Status::internal(format!("the server sent a file `{other}`")));
        }
    };
    if file.len() + piece.chunk.len() > FILE_BYTES_MAX {
        return Err(Status::internal("the server sent a file without end"));
    }
    file.extend_from_slice(&piece.chunk);
    Ok(())
}
