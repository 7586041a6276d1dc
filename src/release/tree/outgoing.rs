//! A parcel on its way to hosts, which is packed meanwhile.
use super::{packing::Packing, parcel::Parcel, readers::Readers};
use crate::{failure::Failure, port::Growing};
use async_trait::async_trait;
use std::{fs::File, io, os::unix::fs::FileExt, path::PathBuf, sync::Arc};
use tokio::{sync::watch, task::spawn_blocking};

/// The most that is read at a time, in bytes.
const AT_A_TIME: u64 = 256 << 10;

/// A parcel that hosts read while it is packed, each at its own pace.
///
/// It grows in a file, so a slow host delays nobody and takes no memory.
pub(crate) struct Outgoing {
    tar_bytes: u64,
    packing: Packing,
    packed: watch::Sender<PackedSoFar>,
}

/// What there is of a parcel.
#[derive(Default)]
struct PackedSoFar {
    file: Option<Arc<File>>,
    bytes: u64,
    ended: Option<Result<Parcel, Failure>>,
}

impl Outgoing {
    /// Begins a parcel of which nothing is packed yet.
    pub(super) fn begun(tar_bytes: u64, packing: Packing) -> Outgoing {
        Outgoing { tar_bytes, packing, packed: watch::Sender::default() }
    }

    /// Makes one of a parcel that is packed.
    pub(super) fn whole(parcel: Parcel) -> Result<Outgoing, Failure> {
        let cannot =
            |e: io::Error| Failure::failed(format!("`{}` can't be read: {e}; nothing was sent", parcel.file.display()));
        let outgoing = Outgoing::begun(parcel.tar_bytes, parcel.packing);
        outgoing.opened(File::open(&parcel.file).map_err(cannot)?);
        outgoing.packed.send_modify(|packed| packed.bytes = parcel.bytes);
        outgoing.end(Ok(parcel));
        Ok(outgoing)
    }

    /// Tells how packing ended.
    pub(super) fn end(&self, ended: Result<Parcel, Failure>) {
        self.packed.send_modify(|packed| packed.ended = Some(ended));
    }

    /// Returns whether a host can read all of it, now or later.
    pub(super) fn is_good(&self) -> bool {
        match &self.packed.borrow().ended {
            Some(Ok(parcel)) => parcel.is_whole(),
            Some(Err(_)) => false,
            None => true,
        }
    }

    /// Returns whether packing has ended.
    pub(super) fn is_packed(&self) -> bool {
        self.packed.borrow().ended.is_some()
    }

    /// Returns why it can't be packed.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.packed.borrow().ended.as_ref().and_then(|ended| ended.as_ref().err().cloned())
    }

    /// Returns the parcel; until it is packed, it has no file, and its bytes are those that there are.
    pub(crate) fn parcel(&self) -> Parcel {
        let packed = self.packed.borrow();
        let (bytes, tar_bytes, packing) = (packed.bytes, self.tar_bytes, self.packing);
        match &packed.ended {
            Some(Ok(parcel)) => parcel.clone(),
            _ => Parcel { file: PathBuf::new(), bytes, tar_bytes, packing },
        }
    }
}

impl Readers for Outgoing {
    fn opened(&self, file: File) {
        self.packed.send_modify(|packed| packed.file = Some(Arc::new(file)));
    }

    fn grew(&self, bytes: usize) {
        self.packed.send_modify(|packed| packed.bytes += bytes as u64);
    }
}

#[async_trait]
impl Growing for Outgoing {
    async fn read(&self, from: u64) -> io::Result<Vec<u8>> {
        let mut packed = self.packed.subscribe();
        let (file, bytes) = {
            let more = |packed: &PackedSoFar| packed.bytes > from || packed.ended.is_some();
            let packed = packed.wait_for(more).await.map_err(io::Error::other)?;
            if let Some(Err(failure)) = &packed.ended {
                return Err(io::Error::other(failure.message.clone()));
            }
            (packed.file.clone(), packed.bytes)
        };
        let Some(file) = file.filter(|_| bytes > from) else { return Ok(Vec::new()) };
        let mut piece = vec![0; (bytes - from).min(AT_A_TIME) as usize];
        let read = spawn_blocking(move || file.read_exact_at(&mut piece, from).map(|()| piece)).await;
        read.map_err(io::Error::other)?
    }

    fn total(&self) -> Option<u64> {
        let packed = self.packed.borrow();
        packed.ended.as_ref().and_then(|ended| ended.as_ref().ok()).map(|parcel| parcel.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::io::Write;

    #[tokio::test]
    async fn what_is_there_is_read_and_the_rest_is_waited_for() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let outgoing = Outgoing::begun(10_240, Packing::Gzip);
        assert!(outgoing.read(0).now_or_never().is_none());
        outgoing.opened(file.reopen().unwrap());
        file.write_all(b"abc").unwrap();
        outgoing.grew(3);
        assert_eq!(outgoing.read(0).await.unwrap(), b"abc");
        assert_eq!(outgoing.read(2).await.unwrap(), b"c");
        assert!(outgoing.read(3).now_or_never().is_none());
        let so_far = Parcel { file: PathBuf::new(), bytes: 3, tar_bytes: 10_240, packing: Packing::Gzip };
        assert_eq!((outgoing.total(), outgoing.parcel()), (None, so_far.clone()));
        let whole = Parcel { file: file.path().to_owned(), ..so_far };
        outgoing.end(Ok(whole.clone()));
        assert_eq!(outgoing.read(3).await.unwrap(), b"");
        assert_eq!((outgoing.total(), outgoing.parcel(), outgoing.is_good()), (Some(3), whole, true));
        file.as_file().set_len(2).unwrap();
        assert!(!outgoing.is_good());
        assert_eq!(outgoing.read(0).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn nothing_more_is_read_after_packing_failed() {
        let outgoing = Outgoing::begun(10_240, Packing::Gzip);
        outgoing.opened(tempfile::tempfile().unwrap());
        outgoing.grew(3);
        let waiting = async { outgoing.read(3).await.unwrap_err().to_string() };
        let failing = async { outgoing.end(Err(Failure::failed("the disk is full"))) };
        assert_eq!(tokio::join!(waiting, failing).0, "the disk is full");
        assert_eq!(outgoing.read(0).await.unwrap_err().to_string(), "the disk is full");
        assert_eq!((outgoing.failure(), outgoing.is_good()), (Some(Failure::failed("the disk is full")), false));
    }
}
