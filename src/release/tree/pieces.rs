//! Compresses a stream in pieces, several at the same time, and writes them in order.
//!
//! The same stream gives the same bytes, however many processors compress it.
use super::packing::Packing;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

/// The level of zstd: about as fast as the network of a data center on one core.
const LEVEL: i32 = 6;

/// How far gzip looks back. A piece is compressed with the end of the one before.
const REACH: usize = 32 << 10;

/// The first bytes of a gzip stream: no name, no time, by any system.
const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// A writer that compresses what passes.
pub(super) struct Pieces<W> {
    into: W,
    packing: Packing,
    piece: Vec<u8>,
    /// The end of the piece before.
    before: Vec<u8>,
    /// The check of what was written, for gzip.
    crc: Crc,
    threads: Option<Threads>,
}

/// A piece of the stream.
struct StreamPiece {
    bytes: Vec<u8>,
    before: Vec<u8>,
    is_last: bool,
}

/// A compressed piece, and the check of what is in it.
type PackedPiece = io::Result<(Vec<u8>, Crc)>;

/// Threads that compress pieces, and what they are still to return, in order.
struct Threads {
    pieces: SyncSender<(StreamPiece, SyncSender<PackedPiece>)>,
    due: VecDeque<Receiver<PackedPiece>>,
    most: usize,
}

impl<W: Write> Pieces<W> {
    /// Begins a compressed stream.
    pub(super) fn begin(packing: Packing, mut into: W) -> io::Result<Self> {
        if packing == Packing::Gzip {
            into.write_all(&GZIP)?;
        }
        Ok(Self { into, packing, piece: Vec::new(), before: Vec::new(), crc: Crc::new(), threads: None })
    }

    /// Completes the stream.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let last = self.next(true);
        match self.threads.take() {
            Some(mut threads) => {
                threads.give(last)?;
                while let Some(packed) = threads.take() {
                    self.put(packed)?;
                }
            }
            None => self.put(compressed(self.packing, &last))?,
        }
        if self.packing == Packing::Gzip {
            self.into.write_all(&self.crc.sum().to_le_bytes())?;
            self.into.write_all(&self.crc.amount().to_le_bytes())?;
        }
        Ok(self.into)
    }

    /// Takes the bytes that came since the piece before.
    fn next(&mut self, is_last: bool) -> StreamPiece {
        let bytes = std::mem::take(&mut self.piece);
        let reach = if self.packing == Packing::Gzip { bytes.len().saturating_sub(REACH) } else { bytes.len() };
        let before = std::mem::replace(&mut self.before, bytes[reach..].to_vec());
        StreamPiece { bytes, before, is_last }
    }

    /// Lets a full piece be compressed, and writes those that are ready; waits if too many aren't.
    fn hand_over(&mut self) -> io::Result<()> {
        let piece = self.next(false);
        let packing = self.packing;
        if self.threads.is_none() {
            self.threads = Threads::of(packing);
        }
        match &mut self.threads {
            Some(threads) => threads.give(piece)?,
            None => return self.put(compressed(packing, &piece)),
        }
        while let Some(packed) = self.threads.as_mut().and_then(Threads::ready) {
            self.put(packed)?;
        }
        Ok(())
    }

    fn put(&mut self, packed: PackedPiece) -> io::Result<()> {
        let (bytes, crc) = packed?;
        self.crc.combine(&crc);
        self.into.write_all(&bytes)
    }
}

impl<W: Write> Write for Pieces<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.packing.piece() - self.piece.len();
        let taken = &bytes[..room.min(bytes.len())];
        self.piece.extend_from_slice(taken);
        if taken.len() == room {
            self.hand_over()?;
        }
        Ok(taken.len())
    }

    /// Doesn't end a piece, because the stream would depend on it.
    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

impl Threads {
    /// Starts them; `None` if the system gives no thread.
    fn of(packing: Packing) -> Option<Threads> {
        let count = thread::available_parallelism().map_or(1, usize::from).min(packing.threads());
        let (pieces, waiting) = sync_channel::<(StreamPiece, SyncSender<PackedPiece>)>(count);
        let waiting = Arc::new(Mutex::new(waiting));
        let start = |_| {
            let waiting = waiting.clone();
            let work = move || {
                let next = || waiting.lock().ok()?.recv().ok();
                while let Some((piece, packed)) = next() {
                    let _ = packed.send(compressed(packing, &piece));
                }
            };
            thread::Builder::new().name("compressing".to_owned()).spawn(work).is_ok()
        };
        let started = (0..count).map(start).filter(|is_started| *is_started).count();
        (started > 0).then(|| Threads { pieces, due: VecDeque::new(), most: started + 1 })
    }

    fn give(&mut self, piece: StreamPiece) -> io::Result<()> {
        let (packed, due) = sync_channel(1);
        self.pieces.send((piece, packed)).map_err(|_| ended())?;
        self.due.push_back(due);
        Ok(())
    }

    /// Returns the next piece, and waits for it.
    fn take(&mut self) -> Option<PackedPiece> {
        Some(self.due.pop_front()?.recv().unwrap_or_else(|_| Err(ended())))
    }

    /// Returns the next piece if it is ready, or if too many are under way.
    fn ready(&mut self) -> Option<PackedPiece> {
        if self.due.len() >= self.most {
            return self.take();
        }
        let packed = self.due.front()?.try_recv().ok()?;
        self.due.pop_front();
        Some(packed)
    }
}

fn ended() -> io::Error {
    io::Error::other("a thread that compresses has ended")
}

/// Compresses a piece. Nothing is left of other pieces: tables that are used again would make other bytes.
fn compressed(packing: Packing, piece: &StreamPiece) -> PackedPiece {
    let mut crc = Crc::new();
    match packing {
        Packing::Gzip => {
            crc.update(&piece.bytes);
            Ok((deflated(piece)?, crc))
        }
        Packing::Zstd => Ok((zstd::bulk::compress(&piece.bytes, LEVEL)?, crc)),
    }
}

/// Compresses a piece for the middle or the end of a gzip stream.
fn deflated(piece: &StreamPiece) -> io::Result<Vec<u8>> {
    let mut deflate = Compress::new(Compression::default(), false);
    if !piece.before.is_empty() {
        deflate.set_dictionary(&piece.before)?;
    }
    let flush = if piece.is_last { FlushCompress::Finish } else { FlushCompress::Sync };
    let mut out = Vec::with_capacity(piece.bytes.len() + 1024);
    loop {
        let taken = usize::try_from(deflate.total_in()).map_err(io::Error::other)?;
        let status = deflate.compress_vec(&piece.bytes[taken..], &mut out, flush)?;
        let ended = if piece.is_last { status == Status::StreamEnd } else { out.len() < out.capacity() };
        if ended {
            return Ok(out);
        }
        out.reserve(64 << 10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Returns bytes of which half can be compressed.
    fn stream(length: usize) -> Vec<u8> {
        let mut number = 7_u64;
        let mut next = || {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (number >> 33) as u8
        };
        (0..length).map(|at| if at / 5000 % 2 == 0 { next() } else { next() % 4 }).collect()
    }

    fn packed(packing: Packing, bytes: &[u8], at_once: usize) -> Vec<u8> {
        let mut pieces = Pieces::begin(packing, Vec::new()).unwrap();
        bytes.chunks(at_once).for_each(|part| pieces.write_all(part).unwrap());
        pieces.finish().unwrap()
    }

    /// Returns what a program writes that reads this.
    fn through(program: &str, input: &[u8]) -> Vec<u8> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(input).unwrap();
        io::Seek::rewind(&mut file).unwrap();
        let output = std::process::Command::new(program).arg("-dc").stdin(file).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    #[test]
    fn hosts_read_the_stream_again_wherever_its_pieces_end() {
        for packing in [Packing::Gzip, Packing::Zstd] {
            let piece = packing.piece();
            for length in [0, 1, piece - 1, piece, piece + 1, 5 * piece + 77] {
                let bytes = stream(length);
                let once = packed(packing, &bytes, 100_000);
                for _ in 0..3 {
                    assert!(once == packed(packing, &bytes, 12_345), "{packing:?} {length}: other bytes");
                }
                assert!(through(packing.program(), &once) == bytes, "{packing:?} {length}: by the program");
                let mut file = tempfile::tempfile().unwrap();
                file.write_all(&once).unwrap();
                io::Seek::rewind(&mut file).unwrap();
                let mut again = Vec::new();
                packing.open(file).unwrap().read_to_end(&mut again).unwrap();
                assert!(again == bytes, "{packing:?} {length}: here");
            }
        }
    }

    #[test]
    fn pieces_cost_few_bytes() {
        let bytes = stream(3 << 20);
        let mut whole = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
        whole.write_all(&bytes).unwrap();
        let (whole, pieces) = (whole.finish().unwrap().len(), packed(Packing::Gzip, &bytes, 8192).len());
        assert!(pieces <= whole + whole / 500, "{pieces} of {whole}");
    }

    #[test]
    fn a_full_disk_ends_the_stream() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for packing in [Packing::Gzip, Packing::Zstd] {
            let bytes = stream(3 * packing.piece());
            let mut pieces = Pieces::begin(packing, Full(packing.piece())).unwrap();
            let ended = pieces.write_all(&bytes).and_then(|()| pieces.finish().map(drop));
            assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::StorageFull);
        }
    }
}
