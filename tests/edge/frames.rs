//! HTTP/2 written by hand, for clients that nobody would write.

use std::time::Duration;

use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// Setting: bytes of each answer the client takes before it says that it takes more.
pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;

pub(crate) const CHECK: &str = "/clearlist.v1.ClearanceService/CheckClearance";
pub(crate) const BATCH: &str = "/clearlist.v1.ClearanceService/BatchCheckClearance";

/// A frame as bytes.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame is short").to_be_bytes();
    let mut out = length[1..].to_vec();
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

pub(crate) fn settings(pairs: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (name, value) in pairs {
        payload.extend(name.to_be_bytes());
        payload.extend(value.to_be_bytes());
    }
    frame(SETTINGS, 0, 0, &payload)
}

pub(crate) fn window_update(stream: u32, bytes: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes())
}

/// An HPACK integer with a seven-bit prefix.
fn integer(mut value: usize, out: &mut Vec<u8>) {
    if value < 127 {
        out.push(u8::try_from(value).expect("small"));
        return;
    }
    out.push(127);
    value -= 127;
    while value >= 128 {
        out.push(u8::try_from(value % 128).expect("small") | 128);
        value /= 128;
    }
    out.push(u8::try_from(value).expect("small"));
}

/// A header block: literals, not indexed, not compressed.
pub(crate) fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in headers {
        out.push(0);
        for text in [name, value] {
            integer(text.len(), &mut out);
            out.extend(text.as_bytes());
        }
    }
    out
}

/// The header block of a call, with further headers.
pub(crate) fn call(path: &str, further: &[(&str, &str)]) -> Vec<u8> {
    let mut headers = vec![
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "test"),
        (":path", path),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    headers.extend(further);
    block(&headers)
}

/// A call without its message.
pub(crate) fn begin(stream: u32, path: &str, further: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &call(path, further))
}

/// A message as gRPC frames it.
pub(crate) fn framed(message: &impl Message) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    let mut framed = vec![0];
    framed.extend(u32::try_from(bytes.len()).expect("short").to_be_bytes());
    framed.extend(bytes);
    framed
}

/// The message of a call, and its end.
pub(crate) fn message(stream: u32, message: &impl Message) -> Vec<u8> {
    let framed = framed(message);
    let mut out = Vec::new();
    let pieces: Vec<&[u8]> = framed.chunks(16_384).collect();
    for (nth, piece) in pieces.iter().enumerate() {
        let flags = if nth + 1 == pieces.len() { END_STREAM } else { 0 };
        out.extend(frame(DATA, flags, stream, piece));
    }
    out
}

/// A frame as it came.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// A connection on which anything can be written.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) async fn connect(address: &str) -> Self {
        Self(TcpStream::connect(address).await.expect("the server listens"))
    }

    /// A connection for which the system keeps little that was not read.
    pub(crate) async fn hard_of_hearing(address: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("it is set");
        let address = address.parse().expect("an address");
        Self(socket.connect(address).await.expect("the server listens"))
    }

    /// A connection that has begun, with these settings.
    pub(crate) async fn begun(address: &str, given: &[(u16, u32)]) -> Self {
        let mut raw = Self::connect(address).await;
        raw.begin(given).await;
        raw
    }

    /// Preface and settings, until both sides have agreed: what exceeds the windows of before is
    /// an error of its own.
    pub(crate) async fn begin(&mut self, given: &[(u16, u32)]) {
        self.write(&[PREFACE, &settings(given)].concat()).await.expect("it is open");
        self.wait_for(SETTINGS).await.expect("settings");
        self.write(&frame(SETTINGS, ACK, 0, &[])).await.expect("it is open");
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes).await
    }

    /// The next frame; `None` when the connection has ended.
    pub(crate) async fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await.ok()?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// The first frame of a kind within some seconds; `None` when the connection ended before.
    pub(crate) async fn wait_for(&mut self, kind: u8) -> Option<Frame> {
        let found = async {
            loop {
                let frame = self.read().await?;
                if frame.kind == kind {
                    return Some(frame);
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), found).await.expect("something comes")
    }

    /// Waits until the other side has closed; whether it did within this time.
    pub(crate) async fn is_closed_within(&mut self, time: Duration) -> bool {
        let closed = async {
            let mut bytes = [0; 4_096];
            while self.0.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
        };
        tokio::time::timeout(time, closed).await.is_ok()
    }
}
