//! C: wit-bindgen makes the contract's header of its WIT, clang compiles for WASI, and the linker that comes with Rust makes a component.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use sluice_core::RunError;

use super::super::{write, wrong};
use super::LanguageProject;
use super::toolchain::{self, Toolchain};

const TOOLCHAIN: Toolchain = Toolchain { name: "wit-bindgen-cli-0.63.0", by_hand: INSTALL };

/// It works for milliseconds: half of the time to compile it is worth more than a faster program.
const INSTALL: &str = "cargo install --locked --debug wit-bindgen-cli@0.63.0 --no-default-features --features c";

/// The compiler: named, or the first of these that is there.
const VARIABLE: &str = "SLUICE_CLANG";
const COMPILERS: [&str; 3] = ["clang-19", "clang-20", "clang"];

/// Where the C library for WASI is, as Debian has it; a folder with `include/wasm32-wasi` and `lib/wasm32-wasi`.
const SYSROOT_VARIABLE: &str = "SLUICE_WASI_SYSROOT";
const SYSROOT: &str = "/usr";
const TARGET: &str = "wasm32-wasi";

/// What compilers are told, of the author's files and of the generated one.
const FLAGS: [&str; 4] = ["-O2", "-std=c17", "-D_GNU_SOURCE", "-c"];
const AUTHORS: [&str; 3] = ["-Wall", "-Wextra", "-Wno-unused-parameter"];

/// The contract's world, which the generated files are named after.
const WORLD: &str = "connector";

/// What a C connector says of itself, beside its code.
const MANIFEST: &str = "manifest.json";

const HINT: &str = "clang 19, wasi-libc, libclang-rt-19-dev-wasm32 and Rust with the target wasm32-wasip2 are needed";

pub(super) fn build(project: &LanguageProject, wit: &Path, to: &Path, offline: bool) -> Result<String, RunError> {
    let home = project.entry.parent().unwrap_or(&project.folder);
    let manifest = home.join(MANIFEST);
    let manifest =
        std::fs::read_to_string(&manifest).map_err(|e| wrong(format!("{} cannot be read: {e}", manifest.display())))?;
    let bindgen = TOOLCHAIN.folder(offline, install)?.join("bin/wit-bindgen");
    let objects = to.with_file_name("c");
    write(&objects.join("made-by"), TOOLCHAIN.name.as_bytes())?;
    let mut generate = Command::new(bindgen);
    generate.arg("c").arg(wit.join("deps/source")).args(["--world", WORLD, "--out-dir"]).arg(&objects);
    toolchain::run(&mut generate, "making the contract's header", HINT)?;

    let compiler = compiler()?;
    let generated = objects.join(format!("{WORLD}.c"));
    let mut linked = vec![objects.join(format!("{WORLD}_component_type.o"))];
    for source in sources(home)?.into_iter().chain(sources(&project.sdk)?).chain([generated.clone()]) {
        let object = objects.join(format!("{}.o", linked.len()));
        let mut compile = Command::new(&compiler);
        compile.arg(format!("--target={TARGET}")).arg(joined("--sysroot=", &sysroot()));
        compile.arg("-isystem").arg(sysroot().join("include").join(TARGET)).args(FLAGS);
        compile.args(if source == generated { &["-w"][..] } else { &AUTHORS[..] });
        compile.arg(joined("-I", &project.sdk)).arg(joined("-I", &objects)).arg(&source).arg("-o").arg(&object);
        toolchain::run(&mut compile, &format!("compiling {}", source.display()), HINT)?;
        linked.push(object);
    }
    link(&compiler, &linked, to)?;
    Ok(manifest)
}

fn install(folder: &Path) -> Result<(), RunError> {
    let mut cargo = Command::new("cargo");
    cargo.args(INSTALL.split(' ').skip(1)).arg("--quiet");
    toolchain::run(cargo.arg("--root").arg(folder), "installing wit-bindgen", HINT)
}

/// The C files of a folder, in the order of their names.
fn sources(folder: &Path) -> Result<Vec<PathBuf>, RunError> {
    let entries = std::fs::read_dir(folder).map_err(|e| wrong(format!("{} cannot be read: {e}", folder.display())))?;
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.retain(|path| path.extension() == Some(OsStr::new("c")));
    found.sort();
    Ok(found)
}

fn link(compiler: &OsStr, objects: &[PathBuf], to: &Path) -> Result<(), RunError> {
    let rust = rust()?;
    let mut find = Command::new(compiler);
    let resources = toolchain::output(find.arg("-print-resource-dir"), "asking clang where its parts are", HINT)?;
    let libraries = sysroot().join("lib").join(TARGET);
    let mut link = Command::new(rust.join("wasm-component-ld"));
    // It calls the linker for core modules, which is beside it.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([rust.join("gcc-ld")].into_iter().chain(std::env::split_paths(&path)));
    link.env("PATH", path.map_err(|e| wrong(format!("a folder's name cannot be used: {e}")))?);
    link.args(["--wasi-adapter", "reactor", "--entry", "_initialize", "-o"]).arg(to);
    link.arg(libraries.join("crt1-reactor.o")).args(objects).arg(joined("-L", &libraries)).arg("-lc");
    link.arg(Path::new(resources.trim()).join("lib/wasi/libclang_rt.builtins-wasm32.a"));
    toolchain::run(&mut link, "making the component", HINT)
}

/// The folder of the linkers that come with Rust.
fn rust() -> Result<PathBuf, RunError> {
    let mut ask = Command::new("rustc");
    let home = toolchain::output(ask.args(["--print", "sysroot"]), "asking Rust where its linkers are", HINT)?;
    let hosts = Path::new(home.trim()).join("lib/rustlib");
    let entries = std::fs::read_dir(&hosts).map_err(|e| wrong(format!("{} cannot be read: {e}", hosts.display())))?;
    let mut folders = entries.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    folders
        .find(|folder| folder.join("wasm-component-ld").is_file())
        .ok_or_else(|| wrong(format!("there is no wasm-component-ld below {}; {HINT}", hosts.display())))
}

/// The compiler that was named, or one that is there.
fn compiler() -> Result<std::ffi::OsString, RunError> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Ok(named);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |name: &&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    COMPILERS.into_iter().find(there).map(Into::into).ok_or_else(|| {
        wrong(format!("there is none of {}; {HINT}; name another compiler in {VARIABLE}", COMPILERS.join(", ")))
    })
}

fn sysroot() -> PathBuf {
    std::env::var_os(SYSROOT_VARIABLE).map_or_else(|| PathBuf::from(SYSROOT), PathBuf::from)
}

/// An option with a path behind it.
fn joined(option: &str, path: &Path) -> std::ffi::OsString {
    let mut joined = std::ffi::OsString::from(option);
    joined.push(path);
    joined
}
