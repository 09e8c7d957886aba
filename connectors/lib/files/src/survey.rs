//! What is kept of a stream's files while they are listed: how many they are, and samples of them; never all of them.

use sluice_sdk::{Error, Result};

use crate::format;
use crate::objects::Object;
use crate::options::{Format, Options};
use crate::schema::format_of;

/// Samples that are kept at least, so that those that are looked at are spread evenly.
const FEWEST: usize = 64;

/// A stream's files, summed up.
pub(crate) struct Survey {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    first: Option<(Object, Format)>,
    /// Every `stride`-th file that is not empty.
    kept: Vec<Object>,
    stride: u64,
    seen: u64,
    last: Option<Object>,
    most: usize,
}

impl Survey {
    /// Nothing yet.
    pub(crate) fn new(options: &Options) -> Self {
        let most = options.sample_files as usize;
        Self { files: 0, bytes: 0, first: None, kept: Vec::new(), stride: 1, seen: 0, last: None, most }
    }

    /// Takes note of files, in the order of their keys.
    pub(crate) fn see(&mut self, files: &[Object], options: &Options) -> Result<()> {
        for file in files {
            self.same_format(file, options)?;
            self.files += 1;
            self.bytes = self.bytes.saturating_add(file.size);
            if file.size == 0 {
                continue;
            }
            if self.seen.is_multiple_of(self.stride) {
                if self.kept.len() >= (self.most * 2).max(FEWEST) {
                    let mut nth = 0;
                    self.kept.retain(|_| {
                        nth += 1;
                        nth % 2 == 1
                    });
                    self.stride *= 2;
                }
                if self.seen.is_multiple_of(self.stride) {
                    self.kept.push(file.clone());
                }
            }
            self.seen += 1;
        }
        if let Some(last) = files.iter().rfind(|file| file.size > 0) {
            self.last = Some(last.clone());
        }
        Ok(())
    }

    fn same_format(&mut self, file: &Object, options: &Options) -> Result<()> {
        let format = format_of(file, options)?;
        match &self.first {
            None => self.first = Some((file.clone(), format)),
            Some((first, known)) if *known != format => {
                return Err(Error::config(format!(
                    "{} is {} and {} is {}; a stream has files of one format: narrow its glob or set options.format",
                    first.key,
                    format::name(*known),
                    file.key,
                    format::name(format)
                )));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// The files' format; none if there are no files.
    pub(crate) fn format(&self) -> Option<Format> {
        self.first.as_ref().map(|(_, format)| *format)
    }

    /// Files spread evenly over all that are not empty, the first and the last included.
    pub(crate) fn samples(&self) -> Vec<&Object> {
        let mut files: Vec<&Object> = self.kept.iter().collect();
        files.extend(self.last.iter().filter(|last| self.kept.last() != Some(*last)));
        if files.len() <= self.most {
            return files;
        }
        let last = files.len() - 1;
        let steps = self.most.saturating_sub(1).max(1);
        (0..self.most).filter_map(|at| files.get(at * last / steps).copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(count: u64, most: u32) -> Survey {
        let options = Options { sample_files: most, format: Format::Csv, ..Options::default() };
        let mut survey = Survey::new(&options);
        let files: Vec<Object> =
            (0..count).map(|n| Object { key: format!("{n:07}"), size: n, modified_ms: None, etag: None }).collect();
        files.chunks(1000).for_each(|page| survey.see(page, &options).unwrap());
        survey
    }

    fn keys(survey: &Survey) -> Vec<u64> {
        survey.samples().iter().map(|file| file.key.parse().unwrap()).collect()
    }

    #[test]
    fn all_of_a_few_files_are_samples_but_for_empty_ones() {
        assert_eq!(keys(&survey(5, 20)), [1, 2, 3, 4]);
        assert_eq!(keys(&survey(1, 20)), [0; 0]);
    }

    #[test]
    fn samples_of_many_files_are_spread_over_all_of_them() {
        let survey = survey(100_000, 20);
        let keys = keys(&survey);
        assert_eq!((keys.len(), keys[0], keys[19]), (20, 1, 99_999));
        assert!(keys.windows(2).all(|pair| (2_000..9_000).contains(&(pair[1] - pair[0]))), "{keys:?}");
        assert!(survey.kept.len() <= FEWEST, "{}", survey.kept.len());
        assert_eq!((survey.files, survey.bytes), (100_000, 99_999 * 50_000));
    }
}
