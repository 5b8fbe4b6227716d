//! Kinds of values: how each is written, and nothing else is taken for it.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A value as it was written.
#[derive(Debug, Clone, Copy)]
pub enum Written<'a> {
    /// In quotes, in the file.
    Quoted(&'a str),
    /// A number or truth, in the file.
    Bare(&'a str),
    /// In the environment or a flag, which know no quotes.
    Loose(&'a str),
    /// A list, a table, a date or a fraction: no setting is one.
    Other(&'a str),
}

impl<'a> Written<'a> {
    const fn text(self) -> Option<&'a str> {
        match self {
            Self::Quoted(text) | Self::Loose(text) => Some(text),
            Self::Bare(_) | Self::Other(_) => None,
        }
    }

    const fn bare(self) -> Option<&'a str> {
        match self {
            Self::Bare(text) | Self::Loose(text) => Some(text),
            Self::Quoted(_) | Self::Other(_) => None,
        }
    }
}

/// What the value should have been, in English and Chinese.
pub(super) type Expected = (String, String);

fn expected(english: &str, chinese: &str) -> Expected {
    (english.to_owned(), chinese.to_owned())
}

/// A kind of value.
pub trait Value {
    /// Takes what was written.
    ///
    /// # Errors
    /// What should have been written. The value is as before.
    fn take(&mut self, written: Written<'_>) -> Result<(), Expected>;

    /// As the file writes it.
    fn show(&self) -> String;
}

/// A value that is one of a few words.
pub trait Choice: Sized + Copy + 'static {
    /// Every value, with its word.
    const ALL: &'static [(Self, &'static str)];

    /// Its word.
    fn word(self) -> &'static str;
}

/// Declares a [`Choice`].
macro_rules! choice {
    ($(#[doc = $doc:literal])+ $Name:ident { $( $(#[doc = $value_doc:literal])+ $Value:ident = $word:literal, )+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $Name { $( $(#[doc = $value_doc])+ $Value, )+ }

        impl Choice for $Name {
            const ALL: &'static [(Self, &'static str)] = &[$( (Self::$Value, $word), )+];

            fn word(self) -> &'static str {
                match self { $( Self::$Value => $word, )+ }
            }
        }

        impl Value for $Name {
            fn take(
                &mut self,
                written: $crate::config::value::Written<'_>,
            ) -> Result<(), $crate::config::value::Expected> {
                *self = $crate::config::value::take_word(written)?;
                Ok(())
            }

            fn show(&self) -> String {
                $crate::config::value::quoted(self.word())
            }
        }
    };
}
pub(super) use choice;

/// One of a few words.
pub(super) fn take_word<T: Choice>(written: Written<'_>) -> Result<T, Expected> {
    let found = written.text().and_then(|text| T::ALL.iter().find(|(_, word)| *word == text));
    found.map(|(value, _)| *value).ok_or_else(|| {
        let words: Vec<String> = T::ALL.iter().map(|(_, word)| quoted(word)).collect();
        let words = words.join(", ");
        (format!("one of {words}"), format!("应为{words}之一"))
    })
}

/// As a basic string of TOML.
pub(super) fn quoted(text: &str) -> String {
    let escaped = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    let inner: String = text.chars().map(escaped).collect();
    format!("\"{inner}\"")
}

impl Value for bool {
    fn take(&mut self, written: Written<'_>) -> Result<(), Expected> {
        *self = written.bare().and_then(|text| text.parse().ok()).ok_or_else(|| {
            expected("true or false, without quotes", "应为不带引号的true或false")
        })?;
        Ok(())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for u32 {
    fn take(&mut self, written: Written<'_>) -> Result<(), Expected> {
        let digits = written.bare().map(|text| text.replace('_', ""));
        *self = digits.and_then(|text| text.parse().ok()).ok_or_else(|| {
            expected("a whole number, without quotes and unit", "应为不带引号和单位的整数")
        })?;
        Ok(())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for String {
    fn take(&mut self, written: Written<'_>) -> Result<(), Expected> {
        let text =
            written.text().ok_or_else(|| expected("a text in quotes", "应为带引号的文本"))?;
        text.clone_into(self);
        Ok(())
    }

    fn show(&self) -> String {
        quoted(self)
    }
}

impl Value for Option<PathBuf> {
    fn take(&mut self, written: Written<'_>) -> Result<(), Expected> {
        let text =
            written.text().ok_or_else(|| expected("a path in quotes", "应为带引号的路径"))?;
        *self = Some(PathBuf::from(text)).filter(|path| !path.as_os_str().is_empty());
        Ok(())
    }

    fn show(&self) -> String {
        quoted(&self.as_ref().map(|path| path.to_string_lossy()).unwrap_or_default())
    }
}

impl Value for SocketAddr {
    fn take(&mut self, written: Written<'_>) -> Result<(), Expected> {
        *self = written.text().and_then(|text| text.parse().ok()).ok_or_else(|| {
            expected(
                "an IP address and a port, like \"127.0.0.1:50051\" or \"[::]:50051\"",
                "应为IP地址和端口，例如\"127.0.0.1:50051\"或\"[::]:50051\"",
            )
        })?;
        Ok(())
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Value for Option<SocketAddr> {
    fn take(&mut self, written: Written<'_>) -> Result<(), Expected> {
        if written.text() == Some("") {
            *self = None;
            return Ok(());
        }
        let mut address = SocketAddr::from(([0, 0, 0, 0], 0));
        address.take(written)?;
        *self = Some(address);
        Ok(())
    }

    fn show(&self) -> String {
        quoted(&self.map(|address| address.to_string()).unwrap_or_default())
    }
}

/// Units of time, largest first, in milliseconds.
const TIME_UNITS: [(&str, u64); 4] =
    [("h", 60 * 60 * 1_000), ("min", 60 * 1_000), ("s", 1_000), ("ms", 1)];
/// Units of size, largest first, in bytes.
const SIZE_UNITS: [(&str, u64); 4] =
    [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// A whole number with one of the units right behind it.
fn measure(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(end)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// With the largest unit that leaves no remainder.
fn measured(amount: u64, units: &[(&str, u64)], smallest: &str) -> String {
    let whole = units.iter().find(|(_, factor)| amount > 0 && amount.is_multiple_of(*factor));
    whole.map_or_else(
        || format!("{amount}{smallest}"),
        |(unit, factor)| format!("{}{unit}", amount / factor),
    )
}

impl Value for Duration {
    fn take(&mut self, written: Written<'_>) -> Result<(), Expected> {
        let read = written.text().and_then(|text| measure(text, &TIME_UNITS));
        *self = read.map(Self::from_millis).ok_or_else(|| {
            expected(
                "a duration with its unit in quotes, like \"250ms\", \"10s\", \"15min\" or \"1h\"",
                "应为带单位和引号的时长，例如\"250ms\"、\"10s\"、\"15min\"或\"1h\"",
            )
        })?;
        Ok(())
    }

    fn show(&self) -> String {
        let milliseconds = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        quoted(&measured(milliseconds, &TIME_UNITS, "s"))
    }
}

/// A size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(u64);

impl ByteSize {
    /// So many KiB.
    #[must_use]
    pub const fn kib(kibibytes: u64) -> Self {
        Self(kibibytes << 10)
    }

    /// So many MiB.
    #[must_use]
    pub const fn mib(mebibytes: u64) -> Self {
        Self(mebibytes << 20)
    }

    /// In bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// In bytes, as HTTP/2 counts them.
    #[must_use]
    pub fn bytes_u32(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&measured(self.0, &SIZE_UNITS, "B"))
    }
}

impl Value for ByteSize {
    fn take(&mut self, written: Written<'_>) -> Result<(), Expected> {
        let read = written.text().and_then(|text| measure(text, &SIZE_UNITS));
        *self = read.map(Self).ok_or_else(|| {
            expected(
                "a size with its unit in quotes, like \"16KiB\" or \"128MiB\"",
                "应为带单位和引号的大小，例如\"16KiB\"或\"128MiB\"",
            )
        })?;
        Ok(())
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

/// Origins of pages: scheme, host and port, as a browser names them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Every origin.
    const ANY: &'static str = "*";

    /// Whether this one is among them.
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| allowed == Self::ANY || allowed == origin)
    }
}

/// `https://host` or `https://host:port`, and nothing behind it: browsers send no more, in lower
/// case, and it is compared as it is.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return text == Origins::ANY };
    let of_host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    matches!(scheme, "https" | "http")
        && !host.is_empty()
        && host.chars().all(|c| of_host(c) && !c.is_ascii_uppercase())
}

impl Value for Origins {
    fn take(&mut self, written: Written<'_>) -> Result<(), Expected> {
        let read = written.text().and_then(|text| {
            let origins = text.split_ascii_whitespace();
            origins.map(|one| is_origin(one).then(|| one.to_owned())).collect()
        });
        *self = read.map(Self).ok_or_else(|| {
            expected(
                "origins in quotes with spaces between, like \"https://erp.example https://portal.example:8443\", or \"*\"",
                "应为带引号、以空格分隔的来源，例如\"https://erp.example https://portal.example:8443\"，或\"*\"",
            )
        })?;
        Ok(())
    }

    fn show(&self) -> String {
        quoted(&self.0.join(" "))
    }
}
