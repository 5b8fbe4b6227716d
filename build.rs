//! Compiles `proto/` without a system `protoc`: protox parses, tonic generates.
//!
//! Writes to `OUT_DIR`:
//! - the generated Rust of `clearlist.v1` and `google.type`;
//! - `answers/`, once more what holds a decision, for the server: the names are the same, and
//!   `grpc/wire` says what a decision and a batch are there;
//! - `fields.rs`, the field numbers of what is written without a generated message;
//! - the generated Rust of `clearlist.log.v1`, a file's format and no part of the API, and its
//!   field numbers, `log_fields.rs`;
//! - `api.binpb`, the descriptor set that reflection and the JSON form are served from.

use std::{env, error::Error, fmt::Write, fs, path::PathBuf};

use protox::prost_reflect::prost_types::{FieldDescriptorProto, FieldOptions, FileDescriptorSet};

/// The messages that `grpc/wire/answer.rs` writes field by field. A field that it does not write
/// is a constant that nothing uses, of which the compiler warns.
const WRITTEN: [&str; 10] = [
    "Decision",
    "Finding",
    "Match",
    "Candidate",
    "NormalizationStep",
    "Entry",
    "Quantity",
    "Revision",
    "Date",
    "Timestamp",
];

/// The messages with a decision in them.
const ANSWERS: [&str; 4] = [
    "CheckClearanceResponse",
    "BatchCheckClearanceResponse",
    "BatchCheckClearanceResult",
    "StreamCheckClearanceResponse",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files([
        "clearlist/v1/clearance_service.proto",
        "clearlist/v1/register_service.proto",
        "clearlist/v1/admin_service.proto",
        "google/rpc/error_details.proto",
    ])?;
    // With comments: reflection is the manual.
    fs::write(out.join("api.binpb"), compiler.encode_file_descriptor_set())?;
    let files = compiler.file_descriptor_set();
    let generate = || {
        tonic_prost_build::configure()
            .bytes(".")
            .extern_path(".google.rpc.Status", "::tonic_types::Status")
            .extern_path(".google.rpc", "::tonic_types::pb")
    };
    generate().compile_fds(files.clone())?;

    fs::create_dir_all(out.join("answers"))?;
    let mut again = generate()
        .build_client(false)
        .out_dir(out.join("answers"))
        .extern_path(".google.type", "crate::grpc::proto::google::r#type");
    let mut answers = files.clone();
    for file in answers.file.iter_mut().filter(|file| file.package() == "clearlist.v1") {
        let messages = file.message_type.iter().flat_map(|message| &message.name);
        let enums = file.enum_type.iter().flat_map(|choices| &choices.name);
        for name in messages.chain(enums).filter(|name| !ANSWERS.contains(&name.as_str())) {
            let plain = format!("crate::grpc::proto::v1::{name}");
            let path = match name.as_str() {
                "Decision" => format!("crate::grpc::wire::Encoded<{plain}>"),
                "BatchCheckClearanceRequest" => "crate::grpc::wire::Questions".into(),
                _ => plain,
            };
            again = again.extern_path(format!(".clearlist.v1.{name}"), path);
        }
        file.service.retain(|service| service.name() == "ClearanceService");
    }
    again.compile_fds(answers)?;

    fs::write(out.join("fields.rs"), fields(&files, |message| WRITTEN.contains(&message))?)?;

    let log = protox::compile(["clearlist/log/v1/group.proto"], ["proto"])?;
    fs::write(out.join("log_fields.rs"), fields(&log, |_any| true)?)?;
    tonic_prost_build::configure().compile_fds(log)?;
    Ok(())
}

/// The numbers of the fields of some messages, as constants. What is deprecated is not written.
fn fields(
    files: &FileDescriptorSet,
    is_written: impl Fn(&str) -> bool,
) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    let messages = files.file.iter().flat_map(|file| &file.message_type);
    for message in messages.filter(|message| is_written(message.name())) {
        let written = |field: &&FieldDescriptorProto| {
            !field.options.as_ref().is_some_and(FieldOptions::deprecated)
        };
        for field in message.field.iter().filter(written) {
            let name = format!("{}_{}", screaming(message.name()), field.name().to_uppercase());
            writeln!(out, "pub(super) const {name}: u32 = {};", field.number())?;
        }
    }
    Ok(out)
}

/// `NORMALIZATION_STEP` of `NormalizationStep`.
fn screaming(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}
