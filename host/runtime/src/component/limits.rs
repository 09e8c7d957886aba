//! What a component may consist of, counted before anything of it is compiled.
//!
//! Compiling takes time and memory that grow with a component's parts, some of it faster than in a straight line, and the compiler
//! trusts a component's shape more than a host should that compiles for strangers: it follows nested types by recursion, for one.
//! Each bound has several times the room that connectors made with the known toolchains need, Python's and JavaScript's
//! interpreters included. Bytes are bounded where the file is read ([`crate::Settings::component_bytes`]).
//!
//! To bound another part: a variant of [`Part`] with its words, and the payload that counts it in [`Shape::count`].

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use wasmparser::{
    BinaryReaderError, ComponentType, FuncValidatorAllocations, FunctionBody, Parser, Payload, ValidPayload, Validator,
};

use crate::engine::TABLE_ELEMENTS;

/// Deepest nesting of modules in components; toolchains make two levels.
const MAX_DEPTH: usize = 8;
/// Longest body of a function, bytes: what registers are allocated for at once.
const MAX_BODY: usize = 1 << 20;
/// Most local variables of a function.
const MAX_LOCALS: u64 = 20_000;
/// Deepest nesting of blocks in a function: a `switch` has one for each of its cases.
const MAX_BLOCKS: u32 = 10_000;

/// What a component is counted in, over everything that is nested in it.
#[derive(Clone, Copy)]
enum Part {
    Functions,
    Types,
    Imports,
    Exports,
    Globals,
    Tags,
    Tables,
    Memories,
    DataSegments,
    ElementSegments,
    Modules,
    Components,
    Instances,
    Aliases,
    Adapters,
    CustomSections,
}

/// How many of each there may be, and what they are called; in the order of [`Part`].
const BOUNDS: [(&str, usize); 16] = [
    ("functions", 100_000),
    ("types", 50_000),
    ("imports", 50_000),
    ("exports", 50_000),
    ("globals", 50_000),
    ("exception tags", 1_000),
    ("tables", 256),
    ("memories", 64),
    ("data segments", 50_000),
    ("element segments", 50_000),
    ("nested modules", 256),
    ("nested components", 256),
    ("instances", 1_000),
    ("aliases", 50_000),
    ("lifted and lowered functions", 10_000),
    ("custom sections", 2_000),
];

/// What keeps a component from being looked at any further.
#[derive(Debug)]
pub(super) enum Unfit {
    /// It is none.
    Invalid(BinaryReaderError),
    /// It was one, and is compiled.
    Compiled,
    /// It has too much of something.
    TooMuch(String),
}

impl From<BinaryReaderError> for Unfit {
    fn from(error: BinaryReaderError) -> Self {
        Self::Invalid(error)
    }
}

impl From<Unfit> for RunError {
    fn from(unfit: Unfit) -> Self {
        let message = match unfit {
            Unfit::Invalid(error) => format!("the file is not a valid WebAssembly component: {error}"),
            Unfit::Compiled => "the file is not a valid WebAssembly component: it holds compiled code, which is never taken, for nobody \
                                could tell what it does; use the .wasm file that it was compiled from"
                .to_owned(),
            Unfit::TooMuch(reason) => format!("the component is too large for this host: {reason}"),
        };
        Self::new(Kind::Protocol, Actor::Source, message)
    }
}

/// How much of something a component has, and how much it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What it is, as errors call it.
    pub what: &'static str,
    /// How much there is.
    pub count: u64,
    /// How much there may be.
    pub most: u64,
}

/// What has been counted of a component so far.
#[derive(Default)]
pub(super) struct Shape {
    parts: [usize; BOUNDS.len()],
    depth: usize,
    body: usize,
    locals: u64,
    elements: u64,
}

impl Shape {
    /// Counts what a part of the file adds. `depth` is how deep it is nested.
    pub(super) fn count(&mut self, payload: &Payload<'_>, depth: usize) -> Result<(), Unfit> {
        if depth > MAX_DEPTH {
            return Err(Unfit::TooMuch(format!("it nests others deeper than {MAX_DEPTH} levels")));
        }
        self.depth = self.depth.max(depth);
        match payload {
            Payload::TypeSection(section) => self.add(Part::Types, section.count()),
            Payload::CoreTypeSection(section) => {
                self.add(Part::Types, section.count())?;
                section.clone().into_iter().try_for_each(|one| one.map(drop)).map_err(Unfit::from)
            }
            Payload::ComponentTypeSection(section) => {
                self.add(Part::Types, section.count())?;
                // Reading one follows its nesting, to the depth that the parser allows.
                section.clone().into_iter().try_for_each(|one| self.add(Part::Types, nested(&one?)))
            }
            Payload::ImportSection(section) => self.add(Part::Imports, section.count()),
            Payload::ComponentImportSection(section) => self.add(Part::Imports, section.count()),
            Payload::ExportSection(section) => self.add(Part::Exports, section.count()),
            Payload::ComponentExportSection(section) => self.add(Part::Exports, section.count()),
            Payload::GlobalSection(section) => self.add(Part::Globals, section.count()),
            Payload::TagSection(section) => self.add(Part::Tags, section.count()),
            Payload::MemorySection(section) => self.add(Part::Memories, section.count()),
            Payload::TableSection(section) => {
                self.add(Part::Tables, section.count())?;
                section.clone().into_iter().try_for_each(|table| self.table(table?.ty.initial))
            }
            Payload::DataSection(section) => self.add(Part::DataSegments, section.count()),
            Payload::ElementSection(section) => self.add(Part::ElementSegments, section.count()),
            Payload::CodeSectionStart { count, .. } => self.add(Part::Functions, *count),
            Payload::CodeSectionEntry(body) => self.function(body),
            Payload::ModuleSection { .. } => self.add(Part::Modules, 1),
            Payload::ComponentSection { .. } => self.add(Part::Components, 1),
            Payload::InstanceSection(section) => self.add(Part::Instances, section.count()),
            Payload::ComponentInstanceSection(section) => self.add(Part::Instances, section.count()),
            Payload::ComponentAliasSection(section) => self.add(Part::Aliases, section.count()),
            Payload::ComponentCanonicalSection(section) => self.add(Part::Adapters, section.count()),
            Payload::CustomSection(_) => self.add(Part::CustomSections, 1),
            _ => Ok(()),
        }
    }

    fn add(&mut self, part: Part, more: u32) -> Result<(), Unfit> {
        let (Some(counted), Some((what, most))) = (self.parts.get_mut(part as usize), BOUNDS.get(part as usize)) else {
            return Ok(());
        };
        *counted = counted.saturating_add(more as usize);
        if *counted > *most {
            return Err(Unfit::TooMuch(format!("it has {counted} {what} or more; at most {most} are compiled")));
        }
        Ok(())
    }

    fn table(&mut self, elements: u64) -> Result<(), Unfit> {
        if elements > TABLE_ELEMENTS as u64 {
            let reason = format!("it begins with a table of {elements} elements; at most {TABLE_ELEMENTS} are allowed");
            return Err(Unfit::TooMuch(reason));
        }
        self.elements = self.elements.max(elements);
        Ok(())
    }

    fn function(&mut self, body: &FunctionBody<'_>) -> Result<(), Unfit> {
        let bytes = body.range().end.saturating_sub(body.range().start) as usize;
        if bytes > MAX_BODY {
            return Err(Unfit::TooMuch(format!("a function of it has {bytes} bytes; at most {MAX_BODY} are compiled")));
        }
        let mut locals = 0_u64;
        for declared in body.get_locals_reader()? {
            locals = locals.saturating_add(u64::from(declared?.0));
        }
        if locals > MAX_LOCALS {
            let reason = format!("a function of it has {locals} local variables; at most {MAX_LOCALS} are compiled");
            return Err(Unfit::TooMuch(reason));
        }
        self.body = self.body.max(bytes);
        self.locals = self.locals.max(locals);
        Ok(())
    }

    /// All that was counted.
    pub(super) fn counted(&self) -> Vec<Counted> {
        let counted = |what, count, most| Counted { what, count, most };
        let parts =
            BOUNDS.iter().zip(self.parts).map(|((what, most), count)| counted(what, count as u64, *most as u64));
        let largest = [
            counted("levels of nesting", self.depth as u64, MAX_DEPTH as u64),
            counted("bytes of a function", self.body as u64, MAX_BODY as u64),
            counted("local variables of a function", self.locals, MAX_LOCALS),
            counted("elements of a table at its beginning", self.elements, TABLE_ELEMENTS as u64),
        ];
        parts.chain(largest).collect()
    }
}

/// Declarations that a type holds by itself.
fn nested(declared: &ComponentType<'_>) -> u32 {
    let count = match declared {
        ComponentType::Component(declarations) => declarations.len(),
        ComponentType::Instance(declarations) => declarations.len(),
        _ => 0,
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Looks at every instruction, which is worth its time only before they are compiled: whether they are valid, and how deeply they
/// nest.
pub(super) fn instructions(bytes: &[u8]) -> Result<(), Unfit> {
    let mut validator = Validator::new();
    let mut allocations = FuncValidatorAllocations::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let ValidPayload::Func(function, body) = validator.payload(&payload?)? else { continue };
        let mut function = function.into_validator(allocations);
        let mut reader = body.get_binary_reader();
        function.read_locals(&mut reader)?;
        while !reader.eof() {
            let at = reader.original_position();
            reader.visit_operator(&mut function.visitor(at))??;
            if function.control_stack_height() > MAX_BLOCKS {
                let reason = format!("a function of it nests blocks deeper than {MAX_BLOCKS} levels");
                return Err(Unfit::TooMuch(reason));
            }
        }
        reader.finish_expression(&function.visitor(reader.original_position()))?;
        allocations = function.into_allocations();
    }
    Ok(())
}
