//! What cannot be meant together, and what is out of its range: every problem of settings that
//! could each be read.

use std::time::Duration;

use super::load::Problem;
use super::value::ByteSize;
use super::{ClientCertificates, Identity, Settings};

/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;

/// `http://HOST:PORT`, and nothing behind it.
fn is_plain_url(text: &str) -> bool {
    let address = text.strip_prefix("http://").and_then(|rest| rest.rsplit_once(':'));
    address.is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains(['/', '@', ' ', '?', '#']) && port.parse::<u16>().is_ok()
    })
}

impl Identity {
    /// What cannot be meant together; `public` is whether others than this machine reach it.
    fn contradictions(&self, public: bool, say: &mut impl FnMut(&str, &str, &str)) {
        if public && !self.is_asked() && !self.allow_anonymous_on_public_address {
            say(
                "listen.address",
                "the address is not loopback and nobody is asked who he is; set identity.callers or identity.jwks, or identity.allow_anonymous_on_public_address = true if everyone may do everything",
                "该地址不是本机回环地址且不询问调用方身份；请设置 identity.callers 或 identity.jwks，或在允许任何人执行任何操作时设置 identity.allow_anonymous_on_public_address = true",
            );
        }
        let named = [&self.jwt_issuer, &self.jwt_audience].map(|text| !text.is_empty());
        if self.jwks.is_some() && named != [true, true] {
            say(
                "identity.jwks",
                "JWTs are believed only of one issuer and for one audience; set identity.jwt_issuer and identity.jwt_audience",
                "只接受指定签发者和受众的JWT；请设置 identity.jwt_issuer 和 identity.jwt_audience",
            );
        }
        if self.jwks.is_none() && named != [false, false] {
            say(
                "identity.jwt_issuer",
                "an issuer or audience is given, and identity.jwks says of no keys",
                "给出了签发者或受众，但未设置 identity.jwks",
            );
        }
        if self.jwt_leeway > Duration::from_mins(5) {
            say("identity.jwt_leeway", "5 minutes at most", "最多5分钟");
        }
    }
}

impl Settings {
    /// The same, of the addresses.
    fn address_contradictions(&self, say: &mut impl FnMut(&str, &str, &str)) {
        let public = !self.listen.address.ip().is_loopback();
        let plain = self.tls.certificate.is_none();
        if public && plain && !self.listen.allow_plaintext_on_public_address {
            say(
                "listen.address",
                "the address is not loopback and there is no TLS; set tls.certificate and tls.key, or listen.allow_plaintext_on_public_address = true if a proxy in front has TLS",
                "该地址不是本机回环地址且没有TLS；请设置 tls.certificate 和 tls.key，或在前置代理提供TLS时设置 listen.allow_plaintext_on_public_address = true",
            );
        }
        let metrics = self.telemetry.metrics_listen;
        if metrics.is_some_and(|metrics| metrics == self.listen.address && metrics.port() != 0) {
            say(
                "telemetry.metrics_listen",
                "the same as listen.address; metrics have an address of their own",
                "与 listen.address 相同；指标须使用单独的地址",
            );
        }
        let collector = &self.telemetry.otlp_endpoint;
        if !collector.is_empty() && !is_plain_url(collector) {
            say(
                "telemetry.otlp_endpoint",
                "it is no URL of the form http://HOST:PORT; a collector elsewhere is reached through one on this machine",
                "不是 http://主机:端口 形式的URL；其他机器上的收集器须经本机的收集器转发",
            );
        }
    }

    /// What cannot be meant together.
    pub(super) fn contradictions(&self) -> Vec<Problem> {
        let mut out = Vec::new();
        let mut say = |key: &str, english: &str, chinese: &str| {
            out.push(Problem::of_setting(key, english, chinese));
        };
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            say(
                "tls.certificate",
                "certificate and key are given both or neither",
                "证书和私钥须同时给出或都不给",
            );
        }
        let asks = self.tls.client_certificates != ClientCertificates::None;
        if asks && self.tls.client_ca.is_none() {
            say(
                "tls.client_certificates",
                "client certificates are asked for, and tls.client_ca says of no authority",
                "要求客户端证书，但未设置 tls.client_ca",
            );
        }
        if asks && self.tls.certificate.is_none() {
            say(
                "tls.client_certificates",
                "client certificates need TLS: set tls.certificate and tls.key",
                "客户端证书需要TLS：请设置 tls.certificate 和 tls.key",
            );
        }
        if !asks && self.tls.client_ca.is_some() {
            say(
                "tls.client_ca",
                "an authority is given, and tls.client_certificates is \"none\"",
                "给出了客户端证书机构，但 tls.client_certificates 为 \"none\"",
            );
        }
        self.address_contradictions(&mut say);
        let public = !self.listen.address.ip().is_loopback();
        let identity = &self.identity;
        identity.contradictions(public, &mut say);
        let limits = &self.limits;
        if limits.batch_items_max > 10_000 {
            say("limits.batch_items_max", "10,000 at most", "最多10000");
        }
        let counts = [
            ("limits.connections_max", limits.connections_max),
            ("limits.streams_per_connection_max", limits.streams_per_connection_max),
            ("limits.requests_per_connection_assured", limits.requests_per_connection_assured),
            ("limits.requests_waiting_max", limits.requests_waiting_max),
            ("limits.batch_items_max", limits.batch_items_max),
            ("limits.batches_open_max", limits.batches_open_max),
            ("limits.questions_burst_max", limits.questions_burst_max),
            ("decisions.retention_days", self.decisions.retention_days),
            ("telemetry.trace_one_in", self.telemetry.trace_one_in),
        ];
        for (key, _) in counts.into_iter().filter(|(_, count)| *count == 0) {
            say(key, "at least 1", "至少为1");
        }
        let largest = limits.message_bytes_max.max(limits.proposal_bytes_max);
        let sizes = [
            ("limits.header_bytes_max", limits.header_bytes_max, ByteSize::kib(1)),
            ("limits.question_bytes_max", limits.question_bytes_max, ByteSize::kib(16)),
            ("limits.message_bytes_max", limits.message_bytes_max, ByteSize::kib(16)),
            ("limits.proposal_bytes_max", limits.proposal_bytes_max, ByteSize::kib(16)),
            ("limits.messages_bytes_max", limits.messages_bytes_max, largest),
            ("decisions.segment_bytes_max", self.decisions.segment_bytes_max, ByteSize::mib(1)),
        ];
        for (key, size, least) in sizes {
            // A length in HTTP/2 and in gRPC has 32 bits.
            if size < least || size > ByteSize::mib(2_048) {
                say(key, &format!("from {least} to 2GiB"), &format!("应在{least}与2GiB之间"));
            }
        }
        let times = [
            ("tls.reload_interval", self.tls.reload_interval),
            ("identity.reload_interval", identity.reload_interval),
            ("limits.handshake_timeout", limits.handshake_timeout),
            ("limits.idle_timeout", limits.idle_timeout),
            ("limits.connection_age_max", limits.connection_age_max),
            ("limits.connection_age_grace", limits.connection_age_grace),
            ("limits.unread_timeout", limits.unread_timeout),
            ("limits.message_timeout", limits.message_timeout),
        ];
        let nothing = |time: &Duration| *time < Duration::from_millis(100);
        for (key, _) in times.iter().filter(|(_, time)| nothing(time)) {
            say(key, "100ms at least", "至少100ms");
        }
        let all = [
            &times[..],
            &[
                ("register.expiry_warning", self.register.expiry_warning),
                ("shutdown.notice_time", self.shutdown.notice_time),
                ("shutdown.drain_timeout", self.shutdown.drain_timeout),
            ],
        ];
        for (key, _) in all.concat().iter().filter(|(_, t)| *t > Duration::from_secs(30 * DAY)) {
            say(key, "30 days at most", "最多30天");
        }
        out
    }
}
