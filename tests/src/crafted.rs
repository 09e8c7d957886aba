//! Components that no compiler would emit: made by hand, whole ones and the outside of ones.

use serde_json::{Value, json};
use sluice_core::manifest::SECTION;
use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType, HeapType,
    Instruction, MemorySection, MemoryType, Module, RefType, StartSection, StorageType, TableSection, TableType,
    TypeSection, ValType,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// The interface that a connector exports.
pub const SOURCE: &str = "sluice:source/source@0.1.0";

/// A manifest with nothing wrong.
pub fn manifest() -> Value {
    json!({"contract": "0.1", "name": "crafted", "version": "1.0.0", "title": "Crafted",
           "config": {"type": "object", "properties": {}}})
}

/// A section of a module or component.
pub fn section(id: u8, body: &[u8]) -> Vec<u8> {
    [&[id][..], &leb(body.len()), body].concat()
}

/// An unsigned number in LEB128.
pub fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        bytes.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return bytes;
        }
    }
}

fn name(text: &str) -> Vec<u8> {
    [&leb(text.len()), text.as_bytes()].concat()
}

/// A custom section.
pub fn custom(title: &str, body: &[u8]) -> Vec<u8> {
    section(0, &[&name(title), body].concat())
}

/// The custom section of a manifest.
pub fn manifest_section(manifest: &[u8]) -> Vec<u8> {
    custom(SECTION, manifest)
}

/// An export of an empty instance.
pub fn export(title: &str) -> Vec<u8> {
    [section(5, &[1, 1, 0]), section(11, &[&[1, 0][..], &name(title), &[5, 0, 0]].concat())].concat()
}

/// An import of an empty instance.
pub fn import(title: &str) -> Vec<u8> {
    [section(7, &[1, 0x42, 0]), section(10, &[&[1, 0][..], &name(title), &[5, 0]].concat())].concat()
}

/// A component of these sections, without anything else.
pub fn outside(sections: &[Vec<u8>]) -> Vec<u8> {
    [COMPONENT.to_vec(), sections.concat()].concat()
}

/// A component that seems to be a connector, with sections before the rest.
pub fn with_sections(sections: &[Vec<u8>]) -> Vec<u8> {
    let manifest = manifest_section(manifest().to_string().as_bytes());
    outside(&[sections.concat(), manifest, export(SOURCE)])
}

/// A core module of these sections, as a section of a component.
pub fn module(sections: &[Vec<u8>]) -> Vec<u8> {
    section(1, &[MODULE.to_vec(), sections.concat()].concat())
}

/// So many functions without parameters, each with this body (its locals and instructions, without the end).
pub fn functions(count: usize, body: &[u8]) -> Vec<u8> {
    let body = [body, &[0x0b]].concat();
    let body = [leb(body.len()), body].concat();
    let types = section(1, &[1, 0x60, 0, 0]);
    let declared = section(3, &[leb(count), vec![0; count]].concat());
    module(&[types, declared, section(10, &[leb(count), body.repeat(count)].concat())])
}

/// A connector whose `check` does what it is told to.
pub struct Crafted {
    /// Its manifest.
    pub manifest: Value,
    /// Pages of its memory at the beginning.
    pub pages: u64,
    /// Whether its memory is shared.
    pub shared: bool,
    /// What `check` does; leaves the address of its answer. The address 16 holds a healthy one.
    pub check: Vec<Instruction<'static>>,
    /// What happens when it is instantiated.
    pub start: Vec<Instruction<'static>>,
    /// Whether it has a type that a garbage collector manages, the eighth: arrays of bytes.
    pub collected: bool,
    /// What is returned to whoever allocates; the next free address if none.
    pub allocate_at: Option<i32>,
    /// Bytes of memory, from the address 64.
    pub data: Vec<u8>,
    /// Makes components differ that are the same otherwise.
    pub salt: Vec<u8>,
}

impl Default for Crafted {
    fn default() -> Self {
        Self {
            manifest: manifest(),
            pages: 2,
            shared: false,
            check: vec![Instruction::I32Const(16)],
            start: Vec::new(),
            collected: false,
            allocate_at: None,
            data: Vec::new(),
            salt: Vec::new(),
        }
    }
}

impl Crafted {
    /// The component.
    ///
    /// # Panics
    /// If it cannot be encoded.
    pub fn bytes(&self) -> Vec<u8> {
        let mut resolve = wit_parser::Resolve::default();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit/v0.1");
        let (package, _) = resolve.push_dir(folder).expect("the contract");
        let world = resolve.select_world(&[package], Some("connector")).expect("its world");
        let mut core = self.core();
        embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).expect("metadata");
        let mut encoder = ComponentEncoder::default();
        let mut bytes = encoder.module(&core).expect("a module").encode().expect("a component");
        bytes.extend(manifest_section(self.manifest.to_string().as_bytes()));
        bytes.extend(custom("salt", &self.salt));
        bytes
    }

    /// The core module: the exports of the contract in the canonical ABI, of which only `check` is ever called.
    fn core(&self) -> Vec<u8> {
        use ValType::{I32, I64};
        let read = [I32, I32, I32, I32, I32, I32, I32, I32, I32, I64, I32, I64, I32, I32, I32, I32];
        let signatures: [(&str, Vec<ValType>); 5] = [
            ("check", vec![I32; 2]),
            ("discover", vec![I32; 10]),
            ("plan", vec![I32, I32, I32, I32, I32, I64, I64]),
            ("read", read.to_vec()),
            ("acknowledge", vec![I32; 6]),
        ];
        let mut types = TypeSection::new();
        let (mut declared, mut exports, mut code) = (FunctionSection::new(), ExportSection::new(), CodeSection::new());
        for (index, (function, parameters)) in (0..).zip(&signatures) {
            types.ty().function(parameters.iter().copied(), [I32]);
            declared.function(index);
            exports.export(&format!("{SOURCE}#{function}"), ExportKind::Func, index);
            let answer = vec![Instruction::I32Const(16)];
            code.function(&body(if *function == "check" { &self.check } else { &answer }));
        }
        types.ty().function([], []);
        types.ty().function([I32; 4], [I32]);
        if self.collected {
            types.ty().array(&StorageType::I8, true);
        }
        declared.function(5).function(6).function(5);
        exports.export(&format!("{SOURCE}#close"), ExportKind::Func, 5);
        exports.export("cabi_realloc", ExportKind::Func, 6);
        exports.export("memory", ExportKind::Memory, 0);
        code.function(&body(&[]));
        code.function(&body(&self.allocator()));
        code.function(&body(&self.start));

        let mut module = Module::new();
        module.section(&types).section(&declared);
        let elements = |minimum| TableType {
            element_type: RefType { nullable: true, heap_type: HeapType::FUNC },
            table64: false,
            minimum,
            maximum: None,
            shared: false,
        };
        module.section(TableSection::new().table(elements(1)));
        let maximum = self.shared.then_some(self.pages);
        let memory =
            MemoryType { minimum: self.pages, maximum, memory64: false, shared: self.shared, page_size_log2: None };
        module.section(MemorySection::new().memory(memory));
        let free = GlobalType { val_type: I32, mutable: true, shared: false };
        module.section(GlobalSection::new().global(free, &wasm_encoder::ConstExpr::i32_const(65_536)));
        module.section(&exports).section(&StartSection { function_index: 7 }).section(&code);
        let mut data = wasm_encoder::DataSection::new();
        data.active(0, &wasm_encoder::ConstExpr::i32_const(64), self.data.iter().copied());
        module.section(&data);
        module.finish()
    }

    fn allocator(&self) -> Vec<Instruction<'static>> {
        use Instruction as I;
        match self.allocate_at {
            Some(address) => vec![I::I32Const(address)],
            None => vec![
                I::GlobalGet(0),
                I::GlobalGet(0),
                I::LocalGet(3),
                I::I32Add,
                I::I32Const(15),
                I::I32Add,
                I::I32Const(-16),
                I::I32And,
                I::GlobalSet(0),
            ],
        }
    }
}

fn body(instructions: &[Instruction<'static>]) -> Function {
    let mut function = Function::new([]);
    for instruction in instructions {
        function.instruction(instruction);
    }
    function.instruction(&Instruction::End);
    function
}
