//! The `OpenAPI` document of the JSON face, made of the descriptors: what a field may hold stands
//! in its comment there, and nowhere a second time.

use std::collections::BTreeMap;

use prost_reflect::{
    Cardinality, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
    OneofDescriptor,
};
use serde_json::{Map, Value, json};

use super::connect;
use super::json::{self, Method};

/// The version of the specification.
const OPENAPI: &str = "3.1.0";
/// The schema of errors.
const ERROR: &str = "connect.Error";
/// What stands in the details of an error.
const DETAILS: [&str; 4] = [
    "google.rpc.ErrorInfo",
    "google.rpc.BadRequest",
    "google.rpc.RetryInfo",
    "google.rpc.LocalizedMessage",
];
/// What the document says of the whole.
const ABOUT: &str = "Whether a material may clear under the customs white list. Each method is a POST of the proto3 JSON form of its request; unknown fields are refused. \
     gRPC and gRPC-Web answer the same at the same address, streams included. Errors have the unary form of the Connect protocol.";

/// The document. It is the same at each call.
#[must_use]
pub fn document() -> Value {
    let methods: BTreeMap<String, &Method> =
        json::methods().filter(|m| m.is_unary()).map(|m| (m.path(), m)).collect();
    let mut services: BTreeMap<String, String> = BTreeMap::new();
    let (mut asked, mut answered) = (Reached::default(), Reached::default());
    for method in methods.values() {
        let (descriptor, service) = (method.descriptor(), method.descriptor().parent_service());
        services.insert(service.name().to_owned(), comment(&service.parent_file(), service.path()));
        asked.add(&descriptor.input());
        answered.add(&descriptor.output());
    }
    DETAILS.iter().filter_map(|name| json::message(name)).for_each(|m| answered.add(&m));
    let mut schemas = Map::new();
    for (name, message) in asked.messages.iter().chain(&answered.messages) {
        let mut schema = message_schema(message);
        // An answer may get fields that its reader does not know yet; a request may not.
        let closed = !answered.messages.contains_key(name) && schema.get("properties").is_some();
        if let Some(object) = schema.as_object_mut().filter(|_| closed) {
            object.insert("additionalProperties".into(), false.into());
        }
        schemas.insert(name.clone(), schema);
    }
    for (name, choices) in asked.enums.iter().chain(&answered.enums) {
        schemas.insert(name.clone(), enum_schema(choices));
    }
    schemas.insert(ERROR.into(), error_schema());
    let paths: Map<String, Value> =
        methods.iter().map(|(path, method)| (path.clone(), operation(method))).collect();
    let tags: Vec<Value> = services
        .iter()
        .map(|(name, comment)| json!({ "name": name, "description": comment }))
        .collect();
    json!({
        "openapi": OPENAPI,
        "info": {
            "title": "Clearlist",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache License 2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{}, { "bearer": [] }, { "certificate": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": parameters(),
            "responses": { "Error": {
                "description": "Refused, or not answered.",
                "content": { "application/json": { "schema": reference(ERROR) } },
            } },
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token in the Authorization header, where the server asks for one.",
                },
                "certificate": {
                    "type": "mutualTLS",
                    "description": "A client certificate, where the server asks for one.",
                },
            },
        },
    })
}

fn parameters() -> Value {
    json!({
        "Timeout": {
            "name": "Connect-Timeout-Ms",
            "in": "header",
            "description": "Milliseconds for which the caller waits; then deadline_exceeded.",
            "schema": { "type": "string", "pattern": "^[0-9]{1,10}$" },
        },
        "Version": {
            "name": "Connect-Protocol-Version",
            "in": "header",
            "description": "Left out, or 1.",
            "schema": { "type": "string", "enum": ["1"] },
        },
    })
}

fn operation(method: &Method) -> Value {
    let descriptor = method.descriptor();
    let service = descriptor.parent_service();
    let description = comment(&service.parent_file(), descriptor.path());
    let body = |name: &str| json!({ "application/json": { "schema": reference(name) } });
    json!({ "post": {
        "operationId": format!("{}_{}", service.name(), descriptor.name()),
        "tags": [service.name()],
        "summary": first_sentence(&description),
        "description": description,
        "parameters": [
            { "$ref": "#/components/parameters/Timeout" },
            { "$ref": "#/components/parameters/Version" },
        ],
        "requestBody": { "required": true, "content": body(descriptor.input().full_name()) },
        "responses": {
            "200": { "description": "The answer.", "content": body(descriptor.output().full_name()) },
            "default": { "$ref": "#/components/responses/Error" },
        },
    } })
}

fn error_schema() -> Value {
    let detail = |name: &&str| json!({ "properties": { "type": { "const": name }, "debug": reference(name) } });
    json!({
        "type": "object",
        "description": "Why there is no answer, in the unary form of the Connect protocol.",
        "required": ["code", "message"],
        "properties": {
            "code": { "type": "string", "enum": connect::code_names() },
            "message": { "type": "string", "description": "What happened and what to do, in English." },
            "details": { "type": "array", "items": {
                "type": "object",
                "required": ["type", "value"],
                "properties": {
                    "type": { "type": "string", "description": "Full name of the message in `value`." },
                    "value": {
                        "type": "string",
                        "contentEncoding": "base64",
                        "description": "The message in binary; base64 without padding.",
                    },
                    "debug": { "description": "The same message in JSON." },
                },
                "anyOf": DETAILS.iter().map(detail).chain([json!({})]).collect::<Vec<_>>(),
            } },
        },
    })
}

/// Everything that a message may hold.
#[derive(Default)]
struct Reached {
    messages: BTreeMap<String, MessageDescriptor>,
    enums: BTreeMap<String, EnumDescriptor>,
}

impl Reached {
    fn add(&mut self, message: &MessageDescriptor) {
        let name = message.full_name().to_owned();
        if self.messages.insert(name, message.clone()).is_some() || known(message).is_some() {
            return;
        }
        for field in message.fields() {
            // The entry of a map is no schema of its own.
            let kind = if field.is_map() { value_of(&field) } else { Some(field.kind()) };
            match kind {
                Some(Kind::Message(inner)) => self.add(&inner),
                Some(Kind::Enum(choices)) => {
                    self.enums.insert(choices.full_name().to_owned(), choices);
                }
                _ => {}
            }
        }
    }
}

/// The kind of the values of a map.
fn value_of(map: &FieldDescriptor) -> Option<Kind> {
    match map.kind() {
        Kind::Message(entry) => Some(entry.map_entry_value_field().kind()),
        _ => None,
    }
}

/// Messages whose JSON is not an object of their fields.
fn known(message: &MessageDescriptor) -> Option<Value> {
    Some(match message.full_name() {
        "google.protobuf.Timestamp" => json!({
            "type": "string",
            "format": "date-time",
            "description": "An instant, in UTC with `Z`.",
        }),
        "google.protobuf.Duration" => json!({
            "type": "string",
            "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$",
            "description": "A duration in seconds, like `1.5s`.",
        }),
        "google.protobuf.Any" => json!({
            "type": "object",
            "required": ["@type"],
            "properties": { "@type": { "type": "string", "description": "Which message it is; its fields stand beside." } },
        }),
        _ => return None,
    })
}

fn message_schema(message: &MessageDescriptor) -> Value {
    if let Some(known) = known(message) {
        return known;
    }
    let properties: Map<String, Value> = message
        .fields()
        .map(|field| (field.json_name().to_owned(), field_schema(&field)))
        .collect();
    let mut schema = json!({
        "type": "object",
        "description": comment(&message.parent_file(), message.path()),
        "properties": properties,
    });
    let choices: Vec<Value> = message
        .oneofs()
        .filter(|oneof| !oneof.is_synthetic())
        .map(|oneof| at_most_one(&oneof))
        .collect();
    if let Some(object) = schema.as_object_mut().filter(|_| !choices.is_empty()) {
        object.insert("allOf".into(), choices.into());
    }
    schema
}

fn at_most_one(oneof: &OneofDescriptor) -> Value {
    let present: Vec<Value> =
        oneof.fields().map(|field| json!({ "required": [field.json_name()] })).collect();
    let none = json!({ "not": { "anyOf": present } });
    let choices: Vec<Value> = present.iter().cloned().chain([none]).collect();
    json!({ "oneOf": choices })
}

fn field_schema(field: &FieldDescriptor) -> Value {
    let message = field.parent_message();
    let mut schema = if field.is_map() {
        let value = value_of(field).map(|kind| kind_schema(&kind)).unwrap_or_default();
        json!({ "type": "object", "additionalProperties": value })
    } else if field.cardinality() == Cardinality::Repeated {
        json!({ "type": "array", "items": kind_schema(&field.kind()) })
    } else {
        kind_schema(&field.kind())
    };
    let said = comment(&message.parent_file(), field.path());
    if let Some(object) = schema.as_object_mut().filter(|_| !said.is_empty()) {
        object.insert("description".into(), said.into());
    }
    schema
}

fn kind_schema(kind: &Kind) -> Value {
    match kind {
        Kind::Double | Kind::Float => json!({ "type": "number", "format": "double" }),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            json!({ "type": "integer", "format": "int32" })
        }
        Kind::Uint32 | Kind::Fixed32 => json!({ "type": "integer", "minimum": 0 }),
        // A number of JavaScript does not hold them.
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            json!({ "type": "string", "format": "int64", "pattern": "^-?[0-9]+$" })
        }
        Kind::Uint64 | Kind::Fixed64 => {
            json!({ "type": "string", "format": "uint64", "pattern": "^[0-9]+$" })
        }
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::String => json!({ "type": "string" }),
        Kind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        Kind::Message(message) => reference(message.full_name()),
        Kind::Enum(choices) => reference(choices.full_name()),
    }
}

fn enum_schema(choices: &EnumDescriptor) -> Value {
    let file = choices.parent_file();
    let names: Vec<String> = choices.values().map(|value| value.name().to_owned()).collect();
    let meanings = choices.values().map(|value| {
        let said = comment(&file, value.path());
        format!("- `{}`: {}", value.name(), said.replace('\n', " "))
    });
    let about = comment(&file, choices.path());
    let described = std::iter::once(about + "\n").chain(meanings).collect::<Vec<_>>().join("\n");
    json!({ "type": "string", "enum": names, "description": described })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The comment of what is at `path` in its file.
fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let locations = file.file_descriptor_proto().source_code_info.iter().flat_map(|i| &i.location);
    let mut found = locations.filter(|location| location.path == path);
    let text = found.find_map(|location| location.leading_comments.as_deref());
    let lines = text.unwrap_or_default().lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn first_sentence(text: &str) -> String {
    let text = text.replace('\n', " ");
    let end =
        text.find(". ").map_or(text.trim_end_matches('.'), |at| text.get(..at).unwrap_or_default());
    end.to_owned()
}
