//! HTTP/1.1 written by hand.

use std::collections::HashMap;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// One connection.
pub(crate) struct Connection(pub(crate) TcpStream);

impl Connection {
    pub(crate) async fn to(address: &str) -> Self {
        Self(TcpStream::connect(address).await.expect("the server listens"))
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("it is open");
    }

    /// Asks, and reads the answer.
    pub(crate) async fn ask(&mut self, request: &Request<'_>) -> Answer {
        self.write(&request.bytes()).await;
        self.read().await.expect("an answer")
    }

    /// The next answer; `None` if the connection is closed.
    pub(crate) async fn read(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).expect("a head is ASCII");
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status");
        let headers: HashMap<String, String> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut body = Vec::new();
        if headers.contains_key("transfer-encoding") {
            while let size @ 1.. = self.chunk_size().await {
                let mut chunk = vec![0; size + 2];
                self.0.read_exact(&mut chunk).await.expect("a chunk");
                body.extend(&chunk[..size]);
            }
            self.0.read_u16().await.expect("the last line");
        } else if let Some(length) = headers.get("content-length") {
            body = vec![0; length.parse().expect("a length")];
            self.0.read_exact(&mut body).await.expect("a body");
        }
        Some(Answer { status: status.parse().expect("a number"), headers, body })
    }

    async fn chunk_size(&mut self) -> usize {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(self.0.read_u8().await.expect("a chunk"));
        }
        usize::from_str_radix(String::from_utf8_lossy(&line).trim(), 16).expect("a size")
    }
}

/// A request.
#[derive(Clone)]
pub(crate) struct Request<'a> {
    pub(crate) verb: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) body: Vec<u8>,
}

impl<'a> Request<'a> {
    pub(crate) fn of(verb: &'a str, path: &'a str) -> Self {
        Self { verb, path, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn json(path: &'a str, body: impl Into<Vec<u8>>) -> Self {
        Self::of("POST", path).with("content-type", "application/json").body(body)
    }

    pub(crate) fn with(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Without its body.
    pub(crate) fn head(&self) -> Vec<u8> {
        let first = format!("{} {} HTTP/1.1\r\nhost: test\r\n", self.verb, self.path);
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        std::iter::once(first).chain(headers).collect::<String>().into_bytes()
    }

    fn bytes(&self) -> Vec<u8> {
        let length = format!("content-length: {}\r\n\r\n", self.body.len());
        [&self.head(), length.as_bytes(), &self.body].concat()
    }
}

/// Asks on a connection of its own.
pub(crate) async fn ask(address: &str, request: &Request<'_>) -> Answer {
    Connection::to(address).await.ask(request).await
}
