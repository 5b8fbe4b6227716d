//! A connection to a server, with TLS if its address says so.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

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
}

impl ServerArgs {
    /// Connects, or says that nobody is there and what to do `instead`.
    pub(super) async fn connect(&self, lang: Lang, instead: &str) -> Result<Channel, Outcome> {
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
        endpoint.connect().await.map_err(|refused| {
            let why = if url.starts_with(TLS_SCHEME) { cause(&refused) } else { String::new() };
            let why = if why.is_empty() { why } else { format!(" ({why})") };
            complain(&match lang {
                Lang::En => format!("no Clearlist server answers at {url}{why}; {instead}"),
                Lang::Zh => format!("{url} 没有Clearlist服务{why}；{instead}"),
            });
            Outcome::Failed
        })
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

/// The innermost cause of an error: the others say that there was one.
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
