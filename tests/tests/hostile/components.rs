//! What is uploaded: files that are no connectors, and bombs for whoever compiles them.

use std::path::Path;

use sluice_core::RunError;
use sluice_runtime::{Runtime, Settings};
use sluice_tests::attack::{Outcome, load, load_file};
use sluice_tests::crafted::{
    Core, SOURCE, component, custom, export, functions, import, leb, manifest, manifest_section, module, outside,
    section, with_sections,
};
use sluice_tests::guest;

async fn loaded(bytes: &[u8]) -> Outcome {
    load(bytes).await.map(|connector| format!("{} was loaded", connector.manifest().name))
}

async fn bomb(sections: Vec<u8>) -> Outcome {
    loaded(&with_sections(&[sections])).await
}

fn stated() -> Vec<u8> {
    manifest_section(manifest().to_string().as_bytes())
}

pub(crate) async fn no_wasm() -> Outcome {
    loaded(b"#!/bin/sh\necho hello\n").await
}

pub(crate) async fn core_module() -> Outcome {
    loaded(b"\0asm\x01\0\0\0").await
}

pub(crate) async fn cut_component() -> Outcome {
    let whole = std::fs::read(guest("fetch")).unwrap();
    loaded(&whole[..whole.len() / 2]).await
}

/// A sandbox with a cache of its own, that has compiled a connector; and the file in its cache.
async fn compiled(folder: &Path, component: &Path) -> Result<(Runtime, std::path::PathBuf), RunError> {
    let runtime = Runtime::new(Settings { cache: Some(folder.to_owned()), ..Settings::default() })?;
    runtime.load(component).await?;
    let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    Ok((runtime, file))
}

pub(crate) async fn precompiled() -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crafted.wasm");
    std::fs::write(&file, component(&Core::default(), &manifest())).unwrap();
    let (_, cached) = compiled(&folder.path().join("cache"), &file).await?;
    let code = std::fs::read(cached).unwrap();
    // Without the digest that precedes it in the cache: what the compiler itself wrote.
    loaded(&code[32..]).await
}

pub(crate) async fn forged_cache() -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crafted.wasm");
    std::fs::write(&file, component(&Core::default(), &manifest())).unwrap();
    let (runtime, cached) = compiled(&folder.path().join("cache"), &file).await?;
    let mut forged = std::fs::read(&cached).unwrap();
    let middle = forged.len() / 2;
    forged[middle..].fill(0xcc);
    std::fs::write(&cached, &forged).unwrap();
    runtime.load(&file).await?;
    assert!(std::fs::read(&cached).unwrap()[middle..] != forged[middle..], "the forged code is still there");
    Ok("compiled anew".into())
}

pub(crate) async fn oversized() -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.wasm");
    std::fs::File::create(&path).unwrap().set_len(65 << 20).unwrap();
    load_file(&path).await.map(|_| "loaded".into())
}

pub(crate) async fn function_bomb() -> Outcome {
    bomb([functions(60_000, &[0]), functions(60_000, &[0])].concat()).await
}

pub(crate) async fn huge_function() -> Outcome {
    let mut body = vec![0];
    body.resize(2 << 20, 0x01);
    bomb(functions(1, &body)).await
}

pub(crate) async fn local_bomb() -> Outcome {
    let body = [&[1][..], &leb(50_000), &[0x7f]].concat();
    bomb(functions(1, &body)).await
}

pub(crate) async fn block_bomb() -> Outcome {
    let body = [vec![0], [0x02, 0x40].repeat(50_000), vec![0x0b; 50_000]].concat();
    bomb(functions(1, &body)).await
}

pub(crate) async fn bad_code() -> Outcome {
    bomb(functions(1, &[0, 0xff, 0xff])).await
}

pub(crate) async fn component_nest() -> Outcome {
    let nested = (0..100).fold(outside(&[]), |inner, _| outside(&[section(4, &inner)]));
    bomb(section(4, &nested)).await
}

pub(crate) async fn type_nest() -> Outcome {
    // An instance whose one declaration is the type of an instance, and so on.
    let nested = [[0x42, 0x01, 0x01].repeat(1_000_000), vec![0x42, 0x00]].concat();
    bomb(section(7, &[&[1][..], &nested].concat())).await
}

pub(crate) async fn type_bomb() -> Outcome {
    bomb(section(7, &[leb(60_000), vec![0x7f; 60_000]].concat())).await
}

pub(crate) async fn module_bomb() -> Outcome {
    bomb(module(&[]).repeat(300)).await
}

pub(crate) async fn table_bomb() -> Outcome {
    bomb(module(&[section(4, &[&[1, 0x70, 0][..], &leb(2_000_000_000)].concat())])).await
}

pub(crate) async fn table_flood() -> Outcome {
    bomb(module(&[section(4, &[leb(1_000), [0x70, 0, 1].repeat(1_000)].concat())])).await
}

pub(crate) async fn data_bomb() -> Outcome {
    bomb(module(&[section(11, &[leb(60_000), [1, 0].repeat(60_000)].concat())])).await
}

pub(crate) async fn section_bomb() -> Outcome {
    bomb(custom("x", b"").repeat(3_000)).await
}

pub(crate) async fn no_manifest() -> Outcome {
    loaded(&outside(&[export(SOURCE)])).await
}

pub(crate) async fn two_manifests() -> Outcome {
    let nested = module(&[stated()]);
    bomb(nested).await
}

pub(crate) async fn sockets() -> Outcome {
    bomb(import("wasi:sockets/types@0.3.0")).await
}

pub(crate) async fn unknown_import() -> Outcome {
    bomb(import("evil:corp/secrets@1.0.0")).await
}

pub(crate) async fn escaping_import() -> Outcome {
    bomb(import("evil:corp/\u{1b}[2J")).await
}

pub(crate) async fn future() -> Outcome {
    loaded(&outside(&[stated(), export("sluice:source/source@7.2.0")])).await
}

pub(crate) async fn two_versions() -> Outcome {
    let second = section(11, &[&[1, 0][..], &leb(26), b"sluice:source/source@0.2.0", &[5, 0, 0]].concat());
    loaded(&outside(&[stated(), export(SOURCE), second])).await
}

pub(crate) async fn no_source() -> Outcome {
    loaded(&outside(&[stated(), export("wasi:cli/run@0.2.0")])).await
}

pub(crate) async fn empty_promise() -> Outcome {
    loaded(&with_sections(&[])).await
}
