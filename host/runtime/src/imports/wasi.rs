//! What of WASI 0.2 is linked as its library has it: clocks, random numbers, streams, standard output, folders that were granted.

use wasmtime::component::Linker;
use wasmtime_wasi::WasiView;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::{cli, filesystem, random};
use wasmtime_wasi::random::WasiRandom;

use crate::instance::store::StoreData;

/// Links interface by interface, because sockets are not to be among them.
pub(crate) fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(linker)?;
    cli::environment::add_to_linker::<_, WasiCli>(linker, StoreData::cli)?;
    cli::exit::add_to_linker::<_, WasiCli>(linker, StoreData::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(linker, StoreData::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(linker, StoreData::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, StoreData::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, StoreData::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, StoreData::cli)?;
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(linker, StoreData::filesystem)?;
    filesystem::types::add_to_linker::<_, WasiFilesystem>(linker, StoreData::filesystem)?;
    random::insecure::add_to_linker::<_, WasiRandom>(linker, |data| data.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(linker, |data| data.ctx().ctx.random())
}
