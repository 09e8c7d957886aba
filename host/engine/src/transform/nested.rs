//! Lists and structs: their parts are converted each by its own plan, and what does not fit is told outwards.
//!
//! A part that does not fit becomes NULL if it may be NULL. If it may not, the struct or list around it becomes NULL
//! instead, and so on outwards. A list that may not be NULL becomes empty, which is what BigQuery holds for both.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, ListArray, MapArray, StructArray};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields};
use arrow_select::filter::filter;

use super::convert::{Kernel, Manner, plan_field, relabel, unexpected};
use super::misfit::{Found, IS_NULL, Misfits, with_nulls};

/// The steps between two nested types; `None` if this is not a matter of lists and structs.
pub(super) fn plan(
    from: &DataType,
    to: &DataType,
    manner: Manner,
    depth: usize,
) -> Result<Option<Vec<Kernel>>, String> {
    match (from, to) {
        (DataType::Struct(from_fields), DataType::Struct(to_fields)) => {
            if from_fields.len() != to_fields.len() {
                return Err(format!("there is no cast from {from} to {to}: they have not the same number of fields"));
            }
            let parts: Result<Vec<Part>, String> = from_fields
                .iter()
                .zip(to_fields)
                .map(|(from, to)| Part::new(from, to, manner, depth).map_err(|why| format!("{}: {why}", from.name())))
                .collect();
            let parts = parts?;
            if parts.iter().all(Part::is_empty) && from_fields == to_fields {
                return Ok(Some(Vec::new()));
            }
            let fields = to_fields.clone();
            Ok(Some(vec![Arc::new(move |array, misfits| convert_struct(array, misfits, &parts, &fields))]))
        }
        (from, to) => match (item(from), item(to)) {
            (Some(_), Some(_)) if from == to && !has_checks(from, manner, depth)? => Ok(Some(Vec::new())),
            (Some(from_item), Some(to_item)) => plan_list(from, from_item, to, to_item, manner, depth),
            _ => Ok(None),
        },
    }
}

/// Lists of any kind go through a plain list; only a map can become a map.
fn plan_list(
    from: &DataType,
    from_item: &FieldRef,
    to: &DataType,
    to_item: &FieldRef,
    manner: Manner,
    depth: usize,
) -> Result<Option<Vec<Kernel>>, String> {
    let part = Part::new(from_item, to_item, manner, depth)?;
    let mut steps: Vec<Kernel> = Vec::new();
    match from {
        DataType::List(_) => {}
        DataType::Map(_, _) => steps.push(Arc::new(map_to_list)),
        _ => steps.push(relabel(DataType::List(Arc::clone(from_item)))),
    }
    if !part.is_empty() || from_item != to_item {
        let to_item = Arc::clone(to_item);
        steps.push(Arc::new(move |array, misfits| convert_list(array, misfits, &part, &to_item)));
    }
    match to {
        DataType::List(_) => {}
        DataType::Map(entries, sorted) if matches!(from, DataType::Map(_, _)) => {
            let (entries, sorted) = (Arc::clone(entries), *sorted);
            steps.push(Arc::new(move |array, _| list_to_map(array, &entries, sorted)));
        }
        DataType::Map(_, _) => return Err(format!("there is no cast from {from} to {to}")),
        _ => steps.push(relabel(to.clone())),
    }
    Ok(Some(steps))
}

/// Whether a list's items have to be looked at although their type stays.
fn has_checks(list: &DataType, manner: Manner, depth: usize) -> Result<bool, String> {
    let Some(item) = item(list) else { return Ok(false) };
    Ok(!Part::new(item, item, manner, depth)?.is_empty())
}

fn item(data_type: &DataType) -> Option<&FieldRef> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => Some(item),
        _ => None,
    }
}

/// A field on its way: its steps, then the question whether it may be NULL.
#[derive(Clone)]
pub(super) struct Part {
    name: String,
    steps: Vec<Kernel>,
    may_gain_nulls: bool,
}

impl Part {
    pub(super) fn new(from: &Field, to: &FieldRef, manner: Manner, depth: usize) -> Result<Self, String> {
        let steps = plan_field(from, to, manner, depth + 1)?;
        let may_gain_nulls = !to.is_nullable() && (from.is_nullable() || !steps.is_empty());
        Ok(Self { name: from.name().clone(), steps, may_gain_nulls })
    }

    /// True if arrays go through as they are.
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty() && !self.may_gain_nulls
    }

    /// The array, converted, and the rows that are NULL although they may not be.
    pub(super) fn convert(
        &self,
        array: &ArrayRef,
        misfits: &mut Misfits,
    ) -> Result<(ArrayRef, Vec<usize>), ArrowError> {
        let mut array = Arc::clone(array);
        for step in &self.steps {
            array = step(&array, misfits)?;
        }
        if !self.may_gain_nulls || array.logical_null_count() == 0 {
            return Ok((array, Vec::new()));
        }
        if let Some(list) = array.as_list_opt::<i32>() {
            let emptied = rebuild(list, |row| list.is_null(row), None)?;
            return Ok((Arc::new(emptied), Vec::new()));
        }
        let nulls = array.logical_nulls();
        let rows = (0..array.len()).filter(|row| nulls.as_ref().is_some_and(|nulls| nulls.is_null(*row))).collect();
        Ok((array, rows))
    }
}

fn convert_struct(
    array: &ArrayRef,
    misfits: &mut Misfits,
    parts: &[Part],
    fields: &Fields,
) -> Result<ArrayRef, ArrowError> {
    let before = array.as_struct_opt().ok_or_else(|| unexpected(array))?;
    let mut columns = Vec::with_capacity(parts.len());
    let mut lost: Vec<usize> = Vec::new();
    for (part, column) in parts.iter().zip(before.columns()) {
        let mut inner = Misfits::default();
        let (column, without) = part.convert(column, &mut inner)?;
        // What lies under a struct that is NULL is arbitrary.
        for row in without.into_iter().filter(|row| before.is_valid(*row)) {
            inner.push(row, IS_NULL);
            lost.push(row);
        }
        for found in inner.into_sorted().into_iter().filter(|found| before.is_valid(found.row)) {
            misfits.push_found(Found { path: join(&part.name, &found.path), ..found });
        }
        columns.push(column);
    }
    let nulls = with_nulls(before.nulls(), before.len(), lost);
    // Below a NULL a part that may not be NULL can be: Arrow allows it there.
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, before.len())?))
}

fn join(name: &str, path: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{name}.{path}") }
}

fn convert_list(
    array: &ArrayRef,
    misfits: &mut Misfits,
    part: &Part,
    to_item: &FieldRef,
) -> Result<ArrayRef, ArrowError> {
    let before = array.as_list_opt::<i32>().ok_or_else(|| unexpected(array))?;
    let (offsets, items) = trimmed(before)?;
    let mut inner = Misfits::default();
    let (items, without) = part.convert(&items, &mut inner)?;
    if inner.is_empty() && without.is_empty() {
        return Ok(Arc::new(ListArray::try_new(Arc::clone(to_item), offsets, items, before.nulls().cloned())?));
    }
    let mut lost = vec![false; before.len()];
    for row in rows_of(&offsets, without.iter().copied()) {
        if let Some(lost) = lost.get_mut(row) {
            *lost = true;
        }
    }
    for item in without {
        inner.push(item, IS_NULL);
    }
    let found = inner.into_sorted();
    let rows: Vec<usize> = rows_of(&offsets, found.iter().map(|found| found.row)).collect();
    let mut last = None;
    for (found, row) in found.into_iter().zip(rows) {
        if before.is_valid(row) && last != Some(row) {
            misfits.push_found(Found { row, ..found });
            last = Some(row);
        }
    }
    let lossy = Field::new(to_item.name(), items.data_type().clone(), true);
    let nulls = with_nulls(
        before.nulls(),
        before.len(),
        lost.iter().enumerate().filter(|(_, lost)| **lost).map(|(row, _)| row),
    );
    let list = ListArray::try_new(Arc::new(lossy), offsets, items, before.nulls().cloned())?;
    let list = rebuild(&list, |row| list.is_null(row) || lost.get(row).copied().unwrap_or(false), nulls)?;
    let (_, offsets, items, nulls) = list.into_parts();
    Ok(Arc::new(ListArray::try_new(Arc::clone(to_item), offsets, items, nulls)?))
}

/// Offsets that start at 0, and only the items that they speak of.
fn trimmed(list: &ListArray) -> Result<(OffsetBuffer<i32>, ArrayRef), ArrowError> {
    let offsets = list.offsets();
    let first = offsets.first();
    let (start, end) = (index(first)?, index(offsets.last())?);
    if start == 0 && end == list.values().len() {
        return Ok((offsets.clone(), Arc::clone(list.values())));
    }
    let moved: Vec<i32> = offsets.iter().map(|offset| offset - first).collect();
    Ok((OffsetBuffer::new(moved.into()), list.values().slice(start, end - start)))
}

fn index(offset: i32) -> Result<usize, ArrowError> {
    usize::try_from(offset).map_err(|_| ArrowError::CastError("a list has a negative offset".into()))
}

/// The lists that items, given in any order, belong to.
fn rows_of(offsets: &OffsetBuffer<i32>, items: impl Iterator<Item = usize>) -> impl Iterator<Item = usize> {
    items.map(|item| {
        // The first offset beyond the item ends its list, so that empty lists before it are passed over.
        let beyond = offsets.partition_point(|offset| usize::try_from(*offset).is_ok_and(|offset| offset <= item));
        beyond.saturating_sub(1)
    })
}

/// The same lists, with those that `emptied` names without items, and this validity.
fn rebuild(
    list: &ListArray,
    emptied: impl Fn(usize) -> bool,
    nulls: Option<NullBuffer>,
) -> Result<ListArray, ArrowError> {
    let DataType::List(item) = list.data_type() else { return Err(unexpected(list)) };
    let (offsets, items) = trimmed(list)?;
    let mut lengths = Vec::with_capacity(list.len());
    let mut dropped = false;
    for (row, length) in offsets.lengths().enumerate() {
        let keep = !emptied(row);
        dropped |= !keep && length > 0;
        lengths.push(if keep { length } else { 0 });
    }
    if !dropped {
        return ListArray::try_new(Arc::clone(item), offsets, items, nulls);
    }
    let kept = lengths.iter().zip(offsets.lengths()).flat_map(|(kept, length)| std::iter::repeat_n(*kept > 0, length));
    let kept = BooleanArray::new(BooleanBuffer::from_iter(kept), None);
    ListArray::try_new(Arc::clone(item), OffsetBuffer::from_lengths(lengths), filter(&items, &kept)?, nulls)
}

fn map_to_list(array: &ArrayRef, _: &mut Misfits) -> Result<ArrayRef, ArrowError> {
    let map = array.as_map_opt().ok_or_else(|| unexpected(array))?;
    let DataType::Map(entries, _) = map.data_type() else { return Err(unexpected(array)) };
    let items: ArrayRef = Arc::new(map.entries().clone());
    Ok(Arc::new(ListArray::try_new(Arc::clone(entries), map.offsets().clone(), items, map.nulls().cloned())?))
}

fn list_to_map(array: &ArrayRef, entries: &FieldRef, sorted: bool) -> Result<ArrayRef, ArrowError> {
    let list = array.as_list_opt::<i32>().ok_or_else(|| unexpected(array))?;
    let pairs = list.values().as_struct_opt().ok_or_else(|| unexpected(array))?.clone();
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), list.offsets().clone(), pairs, list.nulls().cloned(), sorted)?))
}
