//! A connection to a server, with TLS if its address says so, and a token if one is given.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};
use zeroize::Zeroizing;

use super::file::read_secret;
use super::{Lang, Outcome, SERVER_DEFAULT, complain};

/// A server that does not accept a connection within this time is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A server that is gone while a call runs is found by a ping after this long.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// And given up if the ping is not answered for this long.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// How an address with TLS begins.
const TLS_SCHEME: &str = "https://";

/// Which server, and how to talk to it.
#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    /// Server to ask, http://HOST:PORT or https://HOST:PORT [default: the address `demo` listens on]
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Authority in PEM that signed the server's certificate; needed for https
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Certificate in PEM to show to the server
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_certificate: Option<PathBuf>,
    /// Its private key in PEM
    #[arg(long, value_name = "FILE", requires = "client_certificate")]
    client_key: Option<PathBuf>,
    /// File whose first line is a token to show to the server
    #[arg(long, value_name = "FILE", env = "CLEARLIST_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

/// A connection, and what each request on it shows.
pub(super) type Link = InterceptedService<Channel, Shown>;

/// The token that each request shows, if there is one.
#[derive(Debug, Clone)]
pub(super) struct Shown(Option<MetadataValue<Ascii>>);

impl Interceptor for Shown {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

impl ServerArgs {
    /// Connects, or says that nobody is there and what to do `instead`.
    pub(super) async fn connect(&self, lang: Lang, instead: &str) -> Result<Link, Outcome> {
        let url = self.server.as_deref().unwrap_or(SERVER_DEFAULT);
        let Ok(endpoint) = Endpoint::from_shared(url.to_owned()) else {
            complain(&format!(
                "{} `{url}`",
                lang.pick(
                    "no server address, write http://HOST:PORT or https://HOST:PORT:",
                    "不是服务器地址，应为 http://主机:端口 或 https://主机:端口："
                )
            ));
            return Err(Outcome::Usage);
        };
        let mut endpoint = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT);
        if url.starts_with(TLS_SCHEME) {
            endpoint = endpoint.tls_config(self.tls(lang)?).map_err(|error| {
                complain(&cause(&error));
                Outcome::Usage
            })?;
        }
        let shown = self.shown(lang, url)?;
        let channel = endpoint.connect().await.map_err(|refused| {
            let why = if url.starts_with(TLS_SCHEME) { cause(&refused) } else { String::new() };
            let why = if why.is_empty() { why } else { format!(" ({why})") };
            complain(&match lang {
                Lang::En => format!("no Clearlist server answers at {url}{why}; {instead}"),
                Lang::Zh => format!("{url} 没有Clearlist服务{why}；{instead}"),
            });
            Outcome::Failed
        })?;
        Ok(InterceptedService::new(channel, shown))
    }

    /// The token, which does not go over a network that everybody can read.
    fn shown(&self, lang: Lang, url: &str) -> Result<Shown, Outcome> {
        let Some(file) = &self.token_file else { return Ok(Shown(None)) };
        if !url.starts_with(TLS_SCHEME) && !is_here(url) {
            complain(lang.pick(
                "the token is not sent without TLS: everyone on the way could use it. Ask https://HOST:PORT",
                "不通过无TLS的连接发送令牌：途中任何人都可以盗用。请使用 https://主机:端口",
            ));
            return Err(Outcome::Usage);
        }
        let bytes = read_secret(lang, file)?;
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let token = first.trim_ascii();
        let bearer = Zeroizing::new([b"Bearer ", token].concat());
        let value = MetadataValue::try_from(bearer.as_slice()).ok().filter(|_| !token.is_empty());
        let mut value = value.ok_or_else(|| {
            let place = file.display();
            complain(&match lang {
                Lang::En => format!("the first line of {place} is no token"),
                Lang::Zh => format!("{place} 的第一行不是令牌"),
            });
            Outcome::Usage
        })?;
        value.set_sensitive(true);
        Ok(Shown(Some(value)))
    }

    fn tls(&self, lang: Lang) -> Result<ClientTlsConfig, Outcome> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| {
                let place = path.display();
                complain(&match lang {
                    Lang::En => format!("cannot read {place}: {error}"),
                    Lang::Zh => format!("无法读取 {place}：{error}"),
                });
                Outcome::Usage
            })
        };
        let Some(ca) = &self.ca else {
            complain(lang.pick(
                "whom to believe that the server is the right one? Name its authority with --ca FILE",
                "凭什么相信该服务器？请用 --ca FILE 指定签发其证书的机构",
            ));
            return Err(Outcome::Usage);
        };
        let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(ca)?));
        if let (Some(certificate), Some(key)) = (&self.client_certificate, &self.client_key) {
            tls = tls.identity(Identity::from_pem(read(certificate)?, read(key)?));
        }
        Ok(tls)
    }
}

/// Whether an address is of this machine.
fn is_here(url: &str) -> bool {
    let parsed = url.parse::<http::Uri>().ok();
    let host = parsed.as_ref().and_then(http::Uri::host).unwrap_or_default();
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// The innermost cause of an error: the others say that there was one.
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
