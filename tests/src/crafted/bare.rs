//! The core module of a crafted connector. The build script puts an honest one into a component; tests put others in its place.

use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, HeapType, Instruction, MemorySection, MemoryType, Module, RefType, StartSection, StorageType,
    TableSection, TableType, TypeSection, ValType,
};

/// The interface that a connector exports.
pub const SOURCE: &str = "sluice:source/source@0.1.0";

/// A connector whose `check` does what it is told to.
pub struct Core {
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
}

impl Default for Core {
    fn default() -> Self {
        Self {
            pages: 2,
            shared: false,
            check: vec![Instruction::I32Const(16)],
            start: Vec::new(),
            collected: false,
            allocate_at: None,
            data: Vec::new(),
        }
    }
}

impl Core {
    /// The core module: the exports of the contract in the canonical ABI, of which only `check` is ever called.
    pub fn module(&self) -> Vec<u8> {
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
        module.section(GlobalSection::new().global(free, &ConstExpr::i32_const(65_536)));
        module.section(&exports).section(&StartSection { function_index: 7 }).section(&code);
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(64), self.data.iter().copied());
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
