//! Files of a granted folder, read ahead.
//!
//! The WASI library reads 64 KiB at a time, each on another thread while the guest waits: a reader of large files spent more time
//! waiting for threads to be woken than for its bytes (1.3 of two cores busy). Here a file that is read on and on is read in
//! larger windows, and the next one while the guest works on the last.
//!
//! Waking a thread and being woken by it takes a hundred times as long as a look at a file of a disk: where all folders are on
//! disks of this machine, small calls are carried out where they are made. A network's folder may not answer for minutes, so its
//! calls stay on threads of their own.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::p2::{DynInputStream, InputStream, Pollable, StreamError, StreamResult};

use crate::instance::store::StoreData;

/// The interface whose `read-via-stream` is linked by hand, in the version that the WASI library links.
const TYPES: &str = "wasi:filesystem/types@0.2.12";

/// Bytes of the first window, which may be all that a guest wants: a header, a footer.
const FIRST: usize = 64 << 10;

/// Bytes of the windows of a file that is read on.
const WINDOW: usize = 256 << 10;

/// Streams of an instance that may be read ahead at once; the others have one window of [`FIRST`] bytes, as guests may open
/// thousands.
const AHEAD: usize = 8;

/// What `statfs` calls the file systems that are on disks of this machine, or in its memory: ext, XFS, Btrfs, ZFS, F2FS, tmpfs,
/// overlays.
const DISKS: [i128; 7] = [0xef53, 0x5846_5342, 0x9123_683e, 0x2fc1_2fc1, 0xf2f5_2010, 0x0102_1994, 0x794c_7630];

/// Whether a folder is on a disk of this machine, whose calls return at once.
pub(crate) fn is_on_a_disk(folder: &Path) -> bool {
    rustix::fs::statfs(folder).is_ok_and(|found| DISKS.contains(&i128::from(found.f_type)))
}

/// How the files of an instance are read.
#[derive(Clone)]
pub(crate) struct Room {
    /// How many may still be read ahead.
    ahead: Arc<Semaphore>,
    /// Small pieces are read where they are asked for.
    at_once: bool,
}

impl Room {
    pub(crate) fn new(at_once: bool) -> Self {
        Self { ahead: Arc::new(Semaphore::new(AHEAD)), at_once }
    }
}

/// Links `read-via-stream` once more, in place of the library's.
pub(crate) fn read_ahead(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance(TYPES)?.func_wrap(
        "[method]descriptor.read-via-stream",
        |mut store, (descriptor, offset): (Resource<Descriptor>, u64)| {
            let data = store.data_mut();
            let file = match data.table.get(&descriptor)? {
                Descriptor::File(file) => Arc::clone(&file.file),
                Descriptor::Dir(_) => return Ok((Err(ErrorCode::IsDirectory),)),
            };
            let stream: DynInputStream = Box::new(ReadAhead::new(file, offset, data.room.clone()));
            Ok((Ok(data.table.push(stream)?),))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// A file from an offset on.
struct ReadAhead {
    file: Arc<File>,
    room: Room,
    /// Held by a stream that is read on.
    permit: Option<OwnedSemaphorePermit>,
    /// Read and not handed out yet.
    ready: Bytes,
    fetching: Option<JoinHandle<std::io::Result<Bytes>>>,
    /// Where the window after those begins.
    next: u64,
    end: End,
}

/// Whether there is more.
enum End {
    NotYet,
    Reached,
    Failed(std::io::Error),
}

impl ReadAhead {
    fn new(file: Arc<File>, offset: u64, room: Room) -> Self {
        Self { file, room, permit: None, ready: Bytes::new(), fetching: None, next: offset, end: End::NotYet }
    }

    /// Begins to fetch a window, if none is on its way and there is more. A small one may be there at once.
    fn fetch(&mut self, bytes: usize) {
        if self.fetching.is_none() && matches!(self.end, End::NotYet) {
            let (file, at) = (Arc::clone(&self.file), self.next);
            if self.room.at_once && bytes <= FIRST {
                return self.take(window(&file, at, bytes));
            }
            self.fetching = Some(tokio::task::spawn_blocking(move || window(&file, at, bytes)));
        }
    }

    /// Waits for the window that is on its way.
    async fn arrive(&mut self) {
        let Some(task) = &mut self.fetching else { return };
        let arrived = task.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        self.fetching = None;
        self.take(arrived);
    }

    fn take(&mut self, arrived: std::io::Result<Bytes>) {
        match arrived {
            Ok(bytes) if bytes.is_empty() => self.end = End::Reached,
            Ok(bytes) => {
                self.next = self.next.saturating_add(bytes.len() as u64);
                self.ready = bytes;
            }
            Err(error) => self.end = End::Failed(error),
        }
    }

    /// Hands out what is ready, and has the next window fetched meanwhile if this one was the file's second or later.
    fn hand_out(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.ready.is_empty() {
            return match std::mem::replace(&mut self.end, End::Reached) {
                End::NotYet => {
                    self.end = End::NotYet;
                    Ok(Bytes::new())
                }
                End::Reached => Err(StreamError::Closed),
                End::Failed(error) => Err(StreamError::LastOperationFailed(error.into())),
            };
        }
        let handed_out = self.ready.split_to(size.min(self.ready.len()));
        if self.ready.is_empty() && self.permit.is_some() {
            self.fetch(WINDOW);
        }
        Ok(handed_out)
    }

    /// How much to fetch where nothing was fetched ahead.
    fn wanted(&mut self, size: usize) -> usize {
        if size > FIRST && self.permit.is_none() {
            self.permit = self.room.ahead.clone().try_acquire_owned().ok();
        }
        size.clamp(1, FIRST)
    }
}

/// Reads once; empty at the file's end.
fn window(file: &File, at: u64, bytes: usize) -> std::io::Result<Bytes> {
    let mut buffer = BytesMut::zeroed(bytes);
    loop {
        match file.read_at(&mut buffer, at) {
            Ok(read) => {
                buffer.truncate(read);
                return Ok(buffer.freeze());
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[wasmtime_wasi::async_trait]
impl InputStream for ReadAhead {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        // Never waits, so it is over at once if the window has come, and changes nothing if it has not.
        let _ = self.arrive().now_or_never();
        if size == 0 || self.fetching.is_some() {
            return Ok(Bytes::new());
        }
        let handed_out = self.hand_out(size)?;
        if handed_out.is_empty() {
            let wanted = self.wanted(size);
            self.fetch(wanted);
            if self.fetching.is_none() {
                return self.hand_out(size);
            }
        }
        Ok(handed_out)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size > 0 && self.ready.is_empty() {
            let wanted = self.wanted(size);
            self.fetch(wanted);
            self.arrive().await;
        }
        self.hand_out(size)
    }

    async fn cancel(&mut self) {
        // A read that has begun cannot be called back: it ends by itself, and what it read is dropped.
        if let Some(task) = self.fetching.take() {
            task.abort();
        }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for ReadAhead {
    async fn ready(&mut self) {
        if self.ready.is_empty() {
            self.fetch(FIRST);
            self.arrive().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn stream(bytes: &[u8], offset: u64, room: &Room) -> ReadAhead {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        ReadAhead::new(Arc::new(file), offset, room.clone())
    }

    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    async fn rest(stream: &mut ReadAhead, size: usize) -> (Vec<u8>, Vec<usize>) {
        let (mut all, mut sizes) = (Vec::new(), Vec::new());
        loop {
            match stream.blocking_read(size).await {
                Ok(read) => {
                    sizes.push(read.len());
                    all.extend_from_slice(&read);
                }
                Err(StreamError::Closed) => return (all, sizes),
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[tokio::test]
    async fn a_file_that_is_read_on_comes_in_larger_windows_and_whole() {
        let content = bytes(1_000_000);
        let (all, sizes) = rest(&mut stream(&content, 3, &Room::new(false)), 1 << 20).await;
        assert_eq!(all, content[3..]);
        assert_eq!(sizes, [FIRST, WINDOW, WINDOW, WINDOW, 1_000_000 - 3 - FIRST - 3 * WINDOW]);
    }

    #[tokio::test]
    async fn small_reads_get_what_they_ask_for() {
        let content = bytes(1000);
        let (all, sizes) = rest(&mut stream(&content, 0, &Room::new(false)), 300).await;
        assert_eq!((all, sizes), (content, vec![300, 300, 300, 100]));
    }

    #[tokio::test]
    async fn only_some_streams_are_read_ahead() {
        let room = Room::new(false);
        let content = bytes(300_000);
        let mut open = Vec::new();
        for _ in 0..AHEAD + 1 {
            let mut stream = stream(&content, 0, &room);
            assert_eq!(stream.blocking_read(1 << 20).await.unwrap().len(), FIRST);
            open.push(stream);
        }
        assert_eq!(open[0].blocking_read(1 << 20).await.unwrap().len(), 300_000 - FIRST);
        assert_eq!(open[AHEAD].blocking_read(1 << 20).await.unwrap().len(), FIRST);
        // One that is closed makes room for another.
        open.remove(0);
        let (all, _) = rest(&mut open[AHEAD - 1], 1 << 20).await;
        assert_eq!(all, content[2 * FIRST..]);
    }

    #[tokio::test]
    async fn a_read_that_does_not_wait_yields_nothing_until_there_is_something() {
        let content = bytes(10);
        let mut stream = stream(&content, 0, &Room::new(false));
        assert!(stream.read(100).unwrap().is_empty());
        stream.ready().await;
        assert_eq!(stream.read(100).unwrap(), content);
        stream.ready().await;
        assert!(matches!(stream.read(100), Err(StreamError::Closed)));
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_says_so_once() {
        let folder = Arc::new(File::open("/").unwrap());
        let mut stream = ReadAhead::new(folder, 0, Room::new(false));
        assert!(matches!(stream.blocking_read(10).await, Err(StreamError::LastOperationFailed(_))));
        assert!(matches!(stream.blocking_read(10).await, Err(StreamError::Closed)));
    }

    #[tokio::test]
    async fn small_pieces_of_a_disks_files_are_there_at_once() {
        let content = bytes(300_000);
        let mut small = stream(&content[..10], 0, &Room::new(true));
        assert_eq!(small.read(100).unwrap(), content[..10]);
        assert!(matches!(small.read(100), Err(StreamError::Closed)));
        let (all, sizes) = rest(&mut stream(&content, 0, &Room::new(true)), 1 << 20).await;
        assert_eq!((all, sizes), (content, vec![FIRST, 300_000 - FIRST]));
        let folder = Arc::new(File::open("/").unwrap());
        let mut broken = ReadAhead::new(folder, 0, Room::new(true));
        assert!(matches!(broken.read(10), Err(StreamError::LastOperationFailed(_))));
        assert!(is_on_a_disk(&std::env::temp_dir()) && !is_on_a_disk(Path::new("/proc")));
    }
}
