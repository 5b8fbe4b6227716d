//! The proto3 JSON form of the messages of the API, from their descriptors, in both directions;
//! and which method a path means.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use bytes::Bytes;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use tonic::Status;

use super::status;

/// The package whose methods are asked in JSON. Health and reflection are gRPC's own.
const PACKAGE: &str = "clearlist.v1";
/// Before each message gRPC has a byte of flags and four of length.
const FRAME_HEAD_BYTES: usize = 5;
/// Objects and lists in one request. The largest batch has some 30,000, and an empty object of two
/// bytes becomes a message of hundreds: without this, 16 MiB would become gigabytes.
const OBJECTS_MAX: usize = 65_536;
/// Fields that an object names. No message of the API has so many.
const FIELDS_MAX: usize = 64;

static POOL: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(super::proto::DESCRIPTORS).ok());

static METHODS: LazyLock<HashMap<String, Method>> = LazyLock::new(|| {
    let services = POOL.iter().flat_map(DescriptorPool::services);
    let ours = services.filter(|service| service.package_name() == PACKAGE);
    let methods = ours.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.map(Method).map(|method| (method.path(), method)).collect()
});

/// A method of the API.
#[derive(Debug)]
pub struct Method(MethodDescriptor);

impl Method {
    /// `/clearlist.v1.ClearanceService/CheckClearance`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/{}/{}", self.0.parent_service().full_name(), self.0.name())
    }

    /// One message is asked and one answered: what JSON is for here.
    #[must_use]
    pub fn is_unary(&self) -> bool {
        !self.0.is_client_streaming() && !self.0.is_server_streaming()
    }

    /// Its descriptor.
    #[must_use]
    pub const fn descriptor(&self) -> &MethodDescriptor {
        &self.0
    }

    /// A request in JSON, as gRPC frames it.
    ///
    /// # Errors
    /// It is not the JSON form of a request: what is wrong, and where.
    pub fn request(&self, json: &[u8]) -> Result<Bytes, Status> {
        look(json)?;
        let message = read(self.0.input(), json).map_err(|error| malformed(&error))?;
        let length = message.encoded_len();
        let Ok(prefix) = u32::try_from(length) else { return Err(status::body_too_large()) };
        let mut framed = Vec::with_capacity(FRAME_HEAD_BYTES + length);
        framed.push(0);
        framed.extend(prefix.to_be_bytes());
        framed.extend(message.encode_to_vec());
        Ok(framed.into())
    }

    /// The JSON of an answer as gRPC framed it.
    ///
    /// # Errors
    /// It is no answer of this method, which would be a fault of the server.
    pub fn answer(&self, framed: &[u8]) -> Result<Bytes, Status> {
        let read = framed.split_at_checked(FRAME_HEAD_BYTES).and_then(|(head, message)| {
            let [0, length @ ..] = head else { return None };
            let length = u32::from_be_bytes(length.try_into().ok()?);
            let whole = usize::try_from(length).is_ok_and(|length| length == message.len());
            let message = DynamicMessage::decode(self.0.output(), message).ok()?;
            serde_json::to_vec(&message).ok().filter(|_| whole)
        });
        read.map(Bytes::from).ok_or_else(|| Status::internal("the answer is no message"))
    }
}

/// Every method of the API.
pub fn methods() -> impl Iterator<Item = &'static Method> {
    METHODS.values()
}

/// The method of a path.
#[must_use]
pub fn method(path: &str) -> Option<&'static Method> {
    METHODS.get(path)
}

/// A message of the API by its full name.
pub(super) fn message(full_name: &str) -> Option<MessageDescriptor> {
    POOL.as_ref()?.get_message_by_name(full_name)
}

/// The message in proto3 JSON; `None` only if `full_name` is no message of the API.
#[must_use]
pub fn to_json(full_name: &str, message: &impl Message) -> Option<serde_json::Value> {
    bytes_to_json(full_name, &message.encode_to_vec())
}

/// The same of the bytes of a message.
#[must_use]
pub(super) fn bytes_to_json(full_name: &str, bytes: &[u8]) -> Option<serde_json::Value> {
    let dynamic = DynamicMessage::decode(message(full_name)?, bytes).ok()?;
    serde_json::to_value(&dynamic).ok()
}

fn read(form: MessageDescriptor, json: &[u8]) -> Result<DynamicMessage, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let message = DynamicMessage::deserialize(form, &mut reader)?;
    reader.end().map(|()| message)
}

fn malformed(error: &serde_json::Error) -> Status {
    let (line, column) = (error.line(), error.column());
    let said = error.to_string();
    let place = format!(" at line {line} column {column}");
    status::json_malformed(line, column, said.strip_suffix(&place).unwrap_or(&said))
}

/// What the reading into a message would let pass, or pay dearly for: a field that is named twice,
/// of which the last would count, and objects without end.
fn look(json: &[u8]) -> Result<(), Status> {
    let mut objects = 0;
    let mut reader = serde_json::Deserializer::from_slice(json);
    match (Look { objects: &mut objects }).deserialize(&mut reader) {
        Err(_) if objects > OBJECTS_MAX => Err(status::body_too_large()),
        looked => looked.map_err(|error| malformed(&error)),
    }
}

/// A value that is looked at and not kept.
struct Look<'a> {
    objects: &'a mut usize,
}

impl Look<'_> {
    fn count<E: Error>(&mut self) -> Result<(), E> {
        *self.objects += 1;
        if *self.objects > OBJECTS_MAX { Err(E::custom("too many objects")) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.count()?;
        while list.next_element_seed(Look { objects: self.objects })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<(), A::Error> {
        self.count()?;
        let mut named: Vec<String> = Vec::new();
        while let Some(name) = object.next_key::<String>()? {
            // `hs_code` and `hsCode` are one field.
            let plain = name.replace('_', "").to_ascii_lowercase();
            if named.contains(&plain) {
                return Err(A::Error::custom(format!("field `{name}` is given twice")));
            }
            if named.len() == FIELDS_MAX {
                return Err(A::Error::custom("an object with too many fields"));
            }
            named.push(plain);
            object.next_value_seed(Look { objects: self.objects })?;
        }
        Ok(())
    }
}
