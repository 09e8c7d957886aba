//! Guests that no compiler would emit: what they do as they start and answer.

use sluice_core::limits::InstanceLimits;
use sluice_core::pipeline::Grants;
use sluice_runtime::Connection;
use sluice_tests::attack::{Outcome, limits, load, surroundings};
use sluice_tests::crafted::{Core, component, manifest};
use wasm_encoder::{BlockType, HeapType, Instruction as I};

/// Loads a crafted connector and has it check itself.
async fn checked(core: &Core, limits: InstanceLimits) -> Outcome {
    let connector = load(&component(core, &manifest())).await?;
    let connection = Connection::new(connector, &serde_json::json!({}), Grants::default(), limits, &surroundings())?;
    let steps = connection.instance().await?.check().await?;
    Ok(format!("{} steps", steps.len()))
}

async fn answered(core: Core) -> Outcome {
    checked(&core, limits()).await
}

fn soon() -> InstanceLimits {
    InstanceLimits { cpu_ms: 300, ..limits() }
}

/// The same again and again, and an answer that is never given.
fn for_ever(body: &[I<'static>]) -> Vec<I<'static>> {
    let mut code = vec![I::Loop(BlockType::Empty)];
    code.extend_from_slice(body);
    code.extend([I::Br(0), I::End, I::I32Const(16)]);
    code
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crafted_connector_without_an_attack_is_healthy() {
    assert_eq!(answered(Core::default()).await.unwrap(), "0 steps");
}

pub(crate) async fn table_growth() -> Outcome {
    let grow = [I::RefNull(HeapType::FUNC), I::I32Const(10_000), I::TableGrow(0), I::Drop];
    answered(Core { check: for_ever(&grow), ..Core::default() }).await
}

pub(crate) async fn born_large() -> Outcome {
    answered(Core { pages: 65_536, ..Core::default() }).await
}

pub(crate) async fn endless_start() -> Outcome {
    let start = vec![I::Loop(BlockType::Empty), I::Br(0), I::End];
    checked(&Core { start, ..Core::default() }, soon()).await
}

pub(crate) async fn busy_fill() -> Outcome {
    let fill = [I::I32Const(1 << 20), I::I32Const(1), I::I32Const(60 << 20), I::MemoryFill(0)];
    checked(&Core { pages: 1024, check: for_ever(&fill), ..Core::default() }, soon()).await
}

pub(crate) async fn shared_memory() -> Outcome {
    let wait = wasm_encoder::MemArg { offset: 0, align: 2, memory_index: 0 };
    let check =
        vec![I::I32Const(64), I::I32Const(0), I::I64Const(-1), I::MemoryAtomicWait32(wait), I::Drop, I::I32Const(16)];
    answered(Core { shared: true, check, ..Core::default() }).await
}

pub(crate) async fn garbage_hoard() -> Outcome {
    let hoard = [I::I32Const(1 << 14), I::ArrayNewDefault(7), I::Drop];
    answered(Core { collected: true, check: for_ever(&hoard), ..Core::default() }).await
}

pub(crate) async fn pointer_beyond() -> Outcome {
    answered(Core { check: vec![I::I32Const(-16)], ..Core::default() }).await
}

/// An answer at the address 64: whether it failed, and where its list is and how long.
fn answer(case: u8, at: u32, length: u32) -> Vec<u8> {
    let mut data = vec![case, 0, 0, 0, 0, 0, 0, 0];
    data.extend(at.to_le_bytes());
    data.extend(length.to_le_bytes());
    data
}

async fn answering(data: Vec<u8>) -> Outcome {
    answered(Core { check: vec![I::I32Const(64)], data, ..Core::default() }).await
}

pub(crate) async fn list_beyond() -> Outcome {
    answering(answer(0, 128, 0x7fff_ffff)).await
}

pub(crate) async fn answer_of_no_case() -> Outcome {
    answering(answer(7, 128, 0)).await
}

pub(crate) async fn answer_of_no_text() -> Outcome {
    let mut data = answer(0, 128, 1);
    data.resize(64, 0);
    // The step at the address 128: its name is four bytes at the address 192.
    data.extend(192_u32.to_le_bytes());
    data.extend(4_u32.to_le_bytes());
    data.resize(128, 0);
    data.extend([0xff, 0xfe, 0xfd, 0xfc]);
    answering(data).await
}

pub(crate) async fn wild_allocator() -> Outcome {
    answered(Core { allocate_at: Some(-64), ..Core::default() }).await
}
