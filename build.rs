//! Compiles `proto/` without a system `protoc`: protox parses, tonic generates.
//!
//! Writes to `OUT_DIR`: the generated Rust of `clearlist.v1` and `google.type`, and
//! `api.binpb`, the descriptor set that reflection and the JSON form are served from.

use std::{env, error::Error, fs, path::PathBuf};

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
    tonic_prost_build::configure()
        .bytes(".")
        .extern_path(".google.rpc.Status", "::tonic_types::Status")
        .extern_path(".google.rpc", "::tonic_types::pb")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
