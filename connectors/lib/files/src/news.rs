//! Which of a stream's files are to be read: asked page by page while they are listed, so that a million of them that were read
//! take no memory.

use sluice_sdk::{ChangedFiles, Error, Result, items};

use crate::objects::{Object, Objects};
use crate::packed::Kept;
use crate::state::{self, News};
use crate::streams::{self, Stream};
use crate::survey::Survey;

/// A stream's files.
pub(crate) struct Files {
    /// All of them, summed up.
    pub(crate) survey: Survey,
    /// Those that are to be read.
    pub(crate) kept: Kept,
}

/// What becomes of a stream's files.
#[derive(Clone, Copy)]
pub(crate) struct Policy {
    pub(crate) changed: ChangedFiles,
    /// Nothing was committed yet, or it was forgotten: the table may have rows of any file.
    pub(crate) first: bool,
}

/// Lists a stream's files. With a policy only new and changed ones are to be read, without one all.
pub(crate) fn of(objects: &dyn Objects, stream: &Stream, policy: Option<Policy>) -> Result<Files> {
    let mut files = Files { survey: Survey::new(&stream.options), kept: Kept::default() };
    streams::walk(objects, stream, |page| {
        files.survey.see(&page, &stream.options)?;
        match policy {
            None => page.into_iter().for_each(|file| files.kept.push(file, 0)),
            Some(policy) => sort_out(page, stream, policy, &mut files.kept)?,
        }
        Ok(())
    })?;
    Ok(files)
}

fn sort_out(page: Vec<Object>, stream: &Stream, policy: Policy, kept: &mut Kept) -> Result<()> {
    let keys: Vec<String> = page.iter().map(|file| file.key.clone()).collect();
    let mut remembered = Vec::with_capacity(keys.len());
    for part in keys.chunks(items::MAX_PER_CALL) {
        remembered.extend(items::recall(&stream.id, part)?);
    }
    let mut replaced = Vec::new();
    for (file, remembered) in page.into_iter().zip(remembered) {
        let news = state::news(&file, remembered.as_deref())?;
        let known = matches!(news, News::Changed(_)) || policy.first;
        if policy.changed == ChangedFiles::Replace && news != News::Same && known {
            replaced.push(file.key.clone());
        }
        match (news, policy.changed) {
            (News::Same, _) | (News::Changed(_), ChangedFiles::Ignore) => {}
            (News::New, _) | (News::Changed(_), ChangedFiles::Append | ChangedFiles::Replace) => kept.push(file, 0),
            // What became shorter is another file under the same name.
            (News::Changed(read_to), ChangedFiles::Tail) => {
                let from = if read_to <= file.size { read_to } else { 0 };
                kept.push(file, from);
            }
            (News::Changed(_), ChangedFiles::Fail) => {
                return Err(Error::unsupported(format!(
                    "{} has changed since it was read, and the pipeline's changed_files is fail; put new rows into new files, or \
                     choose another policy",
                    file.key
                )));
            }
        }
    }
    replaced.chunks(items::MAX_PER_CALL).try_for_each(|part| items::replace(&stream.id, part))
}
